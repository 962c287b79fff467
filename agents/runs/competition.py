"""Who is compared where: policies and training runs in one or several scenarios, with several seeds of requests."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.evaluation.comparison import Contender, contender
from agents.evaluation.entries import Entry, Outcomes, joined
from agents.runs.gathering import GatheredRun, gather
from agents.runs.setup import Setup, named_scenarios, prepare, prepare_environment
from envs import SplitSettings
from envs.command_line import plain

OF_A_RUN = ("env", "scenario", "channel", "devices", "costs")
"""Groups of the environment that a run was trained in."""


@dataclass(frozen=True)
class Heat:
    """One scenario.

    Attributes:
        scenario: its name.
        config: the configuration with this scenario.
        setup: the environment of the policies, and these.
        runs: training runs that they are compared with, and what acts for each.
    """

    scenario: str
    config: DictConfig
    setup: Setup
    runs: Sequence[tuple[GatheredRun, Contender]] = ()


@dataclass(frozen=True)
class Competition:
    """All scenarios, one sentence for each thing that was left out, and the policy file of each training run."""

    heats: list[Heat]
    left_out: list[str]
    run_files: dict[str, Path] = field(default_factory=dict)

    def serve(self, num_requests: int, seeds: Sequence[int], on_turn: Callable[[str], None]) -> list[Entry]:
        """Let every competitor serve the same requests.

        Args:
            num_requests: with each seed in each scenario.
            seeds: of the requests.
            on_turn: called with what is going on.
        """

        def served(place: str, name: str, by: Contender) -> Outcomes:
            on_turn(f"{place}: {name}")
            return joined([(seed, by.serve(num_requests, seed)) for seed in seeds])

        entries = []
        for heat in self.heats:
            place = heat.scenario
            entries += [
                Entry(place, run.group, served(place, run.name, by), run.name, run.seed) for run, by in heat.runs
            ]
            entries += [Entry(place, label, served(place, label, by)) for label, by in heat.setup.contenders.items()]
        return entries


def of_policies(
    config: DictConfig, scenarios: dict[str, DictConfig], num_envs: int, asked_for: Container[str]
) -> Competition:
    """The configured policies in some scenarios; one that does not fit a scenario is left out there.

    Args:
        config: the composed configuration.
        scenarios: name -> the group `scenario`.
        num_envs: sessions side by side.
        asked_for: labels of the policies that are not there by default.

    Raises:
        ValueError: a policy that was asked for and fits no scenario, or anything of `agents.runs.setup.prepare`.
    """
    heats, reasons = [], dict[str, dict[str, str]]()  # label -> scenario -> why
    for name, scenario in scenarios.items():
        refused: dict[str, str] = {}
        own = _with(config, {"scenario": scenario})
        setup = prepare(own, num_envs, refused)
        heats.append(Heat(name, own, setup))
        for label, reason in refused.items():
            reasons.setdefault(label, {})[name] = reason
    for label, by_scenario in reasons.items():
        if label in asked_for and len(by_scenario) == len(heats):
            raise ValueError(next(iter(by_scenario.values())))
    notes = [
        f"left out in {name}: {reason}" for by_scenario in reasons.values() for name, reason in by_scenario.items()
    ]
    return Competition(heats, notes)


def of_runs(config: DictConfig, folder: Path, scenarios: dict[str, DictConfig] | None, num_envs: int) -> Competition:
    """Training runs, each in the environment that it was trained in, beside the configured policies.

    Args:
        config: the composed configuration; policies, transceiver and sizes are taken from it.
        folder: of the runs, see `gather`.
        scenarios: where all of them compete; None: each run in the scenario that it was trained in.
        num_envs: sessions side by side.

    Raises:
        ValueError: no run that can be loaded, or anything of `agents.runs.setup.prepare`.
    """
    runs, left_out = gather(folder, by_scenario=scenarios is not None)
    heats, environments = [], dict[str, SplitSettings]()
    for name, scenario in (scenarios or named_scenarios(run.config.scenario for run in runs)).items():
        chosen = [run for run in runs if scenarios or run.config.scenario == scenario]
        trained_in = [{key: run.config[key] for key in OF_A_RUN if key in run.config} for run in chosen]
        configs = [_with(config, own | {"scenario": scenario}) for own in trained_in]
        refused: dict[str, str] = {}
        setup = prepare(configs[0], num_envs, refused)
        environments[_key(configs[0])] = setup.settings
        left_out += [f"policy {label} is left out of {name}: {reason}" for label, reason in refused.items()]
        if len({_key(each) for each in configs}) > 1:
            left_out.append(
                f"{name}: the runs differ in their environments; policies without a run have {chosen[0].name}'s"
            )
        entered = []
        for run, own in zip(chosen, configs, strict=True):
            try:
                if _key(own) not in environments:
                    environments[_key(own)] = prepare_environment(own, num_envs)[0]
                entered.append((run, contender(str(run.policy_file), environments[_key(own)], num_envs)))
            except (ValueError, OSError) as error:
                left_out.append(f"run {run.name} is left out of {name}: {' '.join(str(error).split())}")
        if entered:
            heats.append(Heat(name, configs[0], setup, entered))
    if not heats:
        raise ValueError("; ".join(left_out))
    return Competition(heats, left_out, {run.name: run.policy_file for run in runs})


def _with(config: DictConfig, changes: dict[str, Any]) -> DictConfig:
    """A copy with other groups, taken whole: nothing of the replaced ones stays."""
    changed = OmegaConf.create(plain(config))
    for key, value in changes.items():
        changed[key] = plain(value)
    return changed


def _key(config: DictConfig) -> str:
    return str({key: plain(config[key]) for key in OF_A_RUN})
