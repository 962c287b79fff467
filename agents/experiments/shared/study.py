"""What every experiment works with: its sizes, the environment's settings, the measured receivers, ROOT of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.policies import Predictor
from agents.runs.settings import GROUPS, EvaluateSettings, read_settings
from agents.runs.setup import matching_transceiver, prepare
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Count, Natural, Points
from envs.command_line import plain
from envs.transceiver import ProfilePart, QualityProfile, TableKey


@dataclass(frozen=True)
class RootTraining:
    """How ROOT is trained where no shipped agent was: the group `experiment.root`.

    Attributes:
        agent: the group of that name.
        total_requests, num_envs, seed: of the training.
        folder: of the trained ones, which experiments share.
    """

    agent: Mapping[str, Any]
    total_requests: Count
    num_envs: Count
    seed: Natural
    folder: str


@dataclass(frozen=True)
class CurveOptions:
    """Sizes of an experiment over learning curves.

    Attributes:
        episodes: to learn from.
        num_envs: sessions side by side.
        every_episodes: between two points of the curve.
        seeds: independent agents of each kind.
        num_states: states in which the greedy policy's expected reward is taken.
        agent: the group of that name.
    """

    episodes: Count
    num_envs: Count
    every_episodes: Count
    seeds: Count
    num_states: Count
    agent: Mapping[str, Any]


@dataclass(frozen=True)
class ComparedOptions:
    """What the experiments that train ROOT have in common.

    Attributes:
        receivers: compared, those of them that the profile holds.
        root: how ROOT is trained for a receiver without one.
    """

    receivers: list[str]
    root: RootTraining


@dataclass(frozen=True)
class StateOptions(ComparedOptions):
    """Sizes of an experiment over sampled states.

    Attributes:
        snr_db, edge_availability: points along the two axes; what is not fixed there is drawn as in the scenario.
        num_states: states at each point.
    """

    snr_db: Points
    edge_availability: Points
    num_states: Count


@dataclass(frozen=True)
class ImageOptions(ComparedOptions):
    """Sizes of an experiment that shows delivered images.

    Attributes:
        num_requests: the first ones of those that policies are judged on; quality is a mean over them.
        shown: requests that are shown.
        edge_availability: PACR at which ROOT decides.
    """

    num_requests: Count
    shown: Count
    edge_availability: float


EVERY_PLAN = ("semaigc", "edge_aigc", "local_aigc")
"""The plans of all five frameworks: the splits 0..T first, so that an action is a split."""


@dataclass
class Study:
    """The common ground of the experiments.

    Attributes:
        folder: of the experiment.
        seed: of states and requests.
        settings: of the environment that policies are judged in, with the profile itself.
        receiver: the configured receiver.
        root: the configured ROOT, which is of that receiver.
        transceiver: the configuration's group.
        console: where progress is shown.
        notes: one line for each thing that was left out; they end up in the comparison.
    """

    folder: Path
    seed: int
    settings: SplitSettings
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
        if (scenario := config.scenario.get("name", "paper")) != "paper":
            raise ValueError(f"the experiments sweep the ranges of scenario=paper, got {scenario}")
        settings = read_settings(EvaluateSettings, config, (*GROUPS, "experiment"))
        only_root = config.copy()
        OmegaConf.set_struct(only_root, False)
        only_root.policies = {"root": plain(config.get("policies") or {}).get("root", "root")}
        setup = prepare(only_root, 1, settings.requests)
        root = setup.contenders["root"].policy
        return cls(folder, settings.seed, setup.judged, given["receiver"], root, config.transceiver, console)

    @property
    def environment(self) -> SplitVectorEnv:
        """A vector environment of one session, as configured."""
        return SplitVectorEnv(1, self.settings)

    @property
    def profile(self) -> QualityProfile:
        """The measured quality profile."""
        profile: QualityProfile = self.settings.profile
        return profile

    @property
    def num_inference_steps(self) -> int:
        """T."""
        return self.settings.num_inference_steps or int(self.profile.num_inference_steps)

    @property
    def part(self) -> ProfilePart:
        """The requests of the profile that policies are judged on, and what was measured of them."""
        return self.profile.part(self.settings.requests)

    def note(self, line: str) -> None:
        """Say something once, here and in the comparison."""
        if line not in self.notes:
            self.notes.append(line)
            self.console.print(f"note: {line}")

    def measured_receivers(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those of the wanted receivers that the profile holds; a line says which it lacks.

        Raises:
            ValueError: the profile holds none of them.
        """
        steps = self.num_inference_steps
        measured = [key.receiver for key in self.part.tables if key == TableKey(key.receiver, steps)]
        held = tuple(name for name in wanted if name in measured)
        listed = ", ".join(dict.fromkeys(measured))
        if not held:
            raise ValueError(f"the profile holds none of the receivers {', '.join(wanted)}; it holds {listed}")
        for name in wanted:
            if name not in held:
                more = "`python -m envs make_profile` measures more"
                self.note(f"receiver {name} is left out: the profile holds {listed} ({more})")
        return held

    def settings_of(self, receiver: str, scenario: Mapping[str, Any] | None = None, **changes: Any) -> SplitSettings:
        """Settings of the environment with another receiver, entries of the scenario, or anything else changed."""
        moved = replace(self.settings.scenario, **(scenario or {}))
        return replace(self.settings, receiver=receiver, scenario=moved, **changes)

    def live_transceiver(self) -> Any:
        """The transceiver that the profile was measured with.

        Raises:
            ValueError: no weights, or others than the profile's.
        """
        with self.console.status("Loading the transceiver"):
            return matching_transceiver(self.transceiver, self.environment.model, self.settings.channel)
