"""What every experiment works with: the environment's settings, the receivers that are measured, ROOT of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.policies import Predictor
from agents.runs.settings import GROUPS, EvaluateSettings, plain
from agents.runs.setup import prepare
from agents.runs.transceivers import matching_transceiver
from envs import SplitVectorEnv

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
    notes: list[str] = field(default_factory=list)

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
            training: how the other is trained, see `agents.experiments.root.trained_root`.
        """
        if receiver == self.receiver:
            return self.root
        from agents.experiments.root import trained_root  # torch, only where it is needed

        return trained_root(self.keywords_of(receiver), training, self.console)

    def live_transceiver(self) -> Any:
        """The transceiver that the profile was measured with.

        Raises:
            ValueError: no weights, or others than the profile's.
        """
        with self.console.status("Loading the transceiver"):
            return matching_transceiver(self.transceiver, self.profile, self.keywords["channel"])
