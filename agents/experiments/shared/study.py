"""What every experiment works with: its sizes, the environment's settings, the measured receivers, ROOT of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.policies import Predictor
from agents.runs.settings import GROUPS, EvaluateSettings, check_keys, plain
from agents.runs.setup import matching_transceiver, prepare
from envs import SplitVectorEnv

Chosen = TypeVar("Chosen")


def read_options(cls: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """Make the options of an experiment from the group `experiment`.

    Args:
        cls: a dataclass; its fields annotated `int` must be >= 1, `Points` increase, lists hold at least one entry.
        given: plain values by key.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    check_keys("experiment", given, names)
    for field in fields(cls):  # type: ignore[arg-type]
        value = given[field.name]
        name = f"experiment.{field.name}"
        if field.type == "Points":
            check_points(name, value)
        elif field.type in _ALLOWED:
            is_allowed, words = _ALLOWED[str(field.type)]
            if not is_allowed(value):
                raise ValueError(f"{name} must be {words}, got {value!r}")
    return cls(**{name: given[name] for name in names})


Points = Sequence[float]
"""Increasing values along an axis."""


@dataclass(frozen=True)
class ComparedOptions:
    """What the experiments that train ROOT have in common.

    Attributes:
        receivers: compared, those of them that the profile holds.
        root: how ROOT is trained for a receiver without one.
    """

    receivers: list[str]
    root: Mapping[str, Any]


@dataclass(frozen=True)
class StateOptions(ComparedOptions):
    """Sizes of an experiment over sampled states.

    Attributes:
        snr_db, edge_availability: points along the two axes; what is not fixed there is drawn as in the scenario.
        num_states: states at each point.
    """

    snr_db: Points
    edge_availability: Points
    num_states: int


@dataclass(frozen=True)
class ImageOptions(ComparedOptions):
    """Sizes of an experiment that shows delivered images.

    Attributes:
        num_requests: of the profile; quality is a mean over them.
        shown: requests that are shown.
        edge_availability: PACR at which ROOT decides.
    """

    num_requests: int
    shown: int
    edge_availability: float


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(kind(entry) for entry in value)


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (lambda value: _is_integer(value) and value >= 1, "an integer >= 1"),
    "float": (lambda value: isinstance(value, int | float) and np.isfinite(value), "a finite number"),
    "list[int]": (_is_list_of(_is_integer), "a list of integers"),
    "list[str]": (_is_list_of(lambda value: isinstance(value, str)), "a list of names"),
}


def check_points(name: str, values: Any) -> None:
    """Refuse what is no list of two or more increasing numbers.

    Raises:
        ValueError: with what was given.
    """
    try:
        points = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 1 or len(points) < 2 or not np.isfinite(points).all() or not (np.diff(points) > 0).all():
        raise ValueError(f"{name} must be a list of two or more increasing numbers, got {values!r}")


EVERY_PLAN = ("semaigc", "edge_aigc", "local_aigc")
"""The plans of all five frameworks: the splits 0..T first, so that an action is a split."""


@dataclass
class Study:
    """The common ground of the experiments.

    Attributes:
        folder: of the experiment.
        seed: of states and requests.
        keywords: constructor keywords of the environment, with the profile itself.
        receiver: the configured receiver.
        root: the configured ROOT, which is of that receiver.
        transceiver: the configuration's group.
        console: where progress is shown.
        notes: one line for each thing that was left out; they end up in the comparison.
    """

    folder: Path
    seed: int
    keywords: dict[str, Any]
    receiver: str
    root: Predictor
    transceiver: DictConfig
    console: Console
    notes: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def prepare(cls, config: DictConfig, folder: Path, console: Console) -> Study:
        """Read the profile and check the groups.

        Raises:
            ValueError: anything that is unknown, missing, or that the experiments cannot work with.
        """
        given = plain(config.env)
        if given["plans"] != ["semaigc"] or given["fidelity"] != "profile":
            raise ValueError(
                "the experiments compare the paper's frameworks on the profile: they need env.plans=[semaigc] and "
                f"env.fidelity=profile, got {given['plans']} and {given['fidelity']}"
            )
        if "name" in config.scenario:
            raise ValueError(f"the experiments sweep the ranges of scenario=paper, got {config.scenario.name}")
        settings = EvaluateSettings.from_config(config, (*GROUPS, "experiment"))
        only_root = config.copy()
        OmegaConf.set_struct(only_root, False)
        only_root.policies = {"root": plain(config.get("policies") or {}).get("root", "root")}
        setup = prepare(only_root, 1)
        root = setup.contenders["root"].policy
        return cls(folder, settings.seed, setup.keywords, given["receiver"], root, config.transceiver, console)

    @property
    def environment(self) -> SplitVectorEnv:
        """A vector environment of one session, as configured."""
        return SplitVectorEnv(1, **self.keywords)

    @property
    def profile(self) -> Any:
        """The measured quality profile."""
        return self.keywords["profile"]

    @property
    def num_inference_steps(self) -> int:
        """T."""
        return self.profile.num_inference_steps

    def note(self, line: str) -> None:
        """Say something once, here and in the comparison."""
        if line not in self.notes:
            self.notes.append(line)
            self.console.print(f"note: {line}", highlight=False)

    def measured_receivers(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those of the wanted receivers that the profile holds; a line says which it lacks.

        Raises:
            ValueError: the profile holds none of them.
        """
        held = tuple(name for name in wanted if name in self.profile.receivers)
        listed = ", ".join(self.profile.receivers)
        if not held:
            raise ValueError(f"the profile holds none of the receivers {', '.join(wanted)}; it holds {listed}")
        for name in wanted:
            if name not in held:
                self.note(f"receiver {name} is left out: the profile holds {listed} (`make profile` measures more)")
        return held

    def keywords_of(self, receiver: str, scenario: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Keywords of the environment with another receiver, scenario entries, or anything else changed."""
        changed = dict(self.keywords["scenario"]) | dict(scenario or {})
        return self.keywords | {"receiver": receiver, "scenario": changed} | changes

    def root_of(self, receiver: str, training: Mapping[str, Any]) -> Predictor:
        """ROOT for a receiver: the configured one for the configured receiver, one trained here for another.

        Args:
            receiver: in the profile.
            training: how the other is trained, see `agents.experiments.shared.learning.trained_root`.
        """
        if receiver == self.receiver:
            return self.root
        from agents.experiments.shared.learning import trained_root  # torch, only where it is needed

        return trained_root(self.keywords_of(receiver), training, self.console)

    def live_transceiver(self) -> Any:
        """The transceiver that the profile was measured with.

        Raises:
            ValueError: no weights, or others than the profile's.
        """
        with self.console.status("Loading the transceiver"):
            return matching_transceiver(self.transceiver, self.profile, self.keywords["channel"])
