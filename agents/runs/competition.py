"""Who is compared where: policies and training runs in one or several scenarios, with several seeds of requests."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.evaluation.comparison import Contender, compare, contender
from agents.evaluation.trials import Trial, joined
from agents.runs.gathering import Gathered, GatheredRun
from agents.runs.setup import Setup, named_scenarios, prepare
from envs.command_line import plain

OF_A_RUN = ("env", "scenario", "channel", "devices", "costs")
"""Groups of the environment that a run was trained in."""

DAMAGED = (ValueError, OSError, RuntimeError, KeyError, EOFError, zipfile.BadZipFile)
"""What a policy file that does not fit, or is cut short, makes the loaders raise."""


@dataclass(frozen=True)
class Competitor:
    """A policy, or a training run, and an environment of its own.

    Attributes:
        policy: label in the report.
        contender: what acts.
        run, training_seed: of a training run, see `agents.evaluation.trials.Trial`.
    """

    policy: str
    contender: Contender
    run: str = ""
    training_seed: int | None = None


@dataclass(frozen=True)
class Heat:
    """One scenario.

    Attributes:
        scenario: its name.
        config: the configuration with this scenario.
        setup: the environment of the policies that are compared with.
        competitors: all of them.
    """

    scenario: str
    config: DictConfig
    setup: Setup
    competitors: list[Competitor]


@dataclass(frozen=True)
class Competition:
    """All scenarios, and one sentence for each thing that was left out."""

    heats: list[Heat]
    left_out: list[str]

    def serve(self, num_requests: int, seeds: Iterable[int], on_turn: Callable[[str], None]) -> list[Trial]:
        """Let every competitor serve the same requests.

        Args:
            num_requests: with each seed in each scenario.
            seeds: of the requests.
            on_turn: called with what is going on.
        """
        trials = []
        for heat in self.heats:
            contenders = {str(index): each.contender for index, each in enumerate(heat.competitors)}

            def tell(index: str, heat: Heat = heat) -> None:
                competitor = heat.competitors[int(index)]
                on_turn(f"{heat.scenario}: {competitor.run or competitor.policy}")

            served = [
                (seed, compare(contenders, num_requests=num_requests, seed=seed, on_policy=tell)) for seed in seeds
            ]
            for index, each in enumerate(heat.competitors):
                outcomes = joined([(seed, results[str(index)]) for seed, results in served])
                trials.append(Trial(heat.scenario, each.policy, outcomes, each.run, each.training_seed))
        return trials


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
        heats.append(Heat(name, own, setup, _competitors(setup)))
        for label, reason in refused.items():
            reasons.setdefault(label, {})[name] = reason
    for label, told in reasons.items():
        if label in asked_for and len(told) == len(heats):
            raise ValueError(next(iter(told.values())))
    notes = [f"left out in {name}: {reason}" for told in reasons.values() for name, reason in told.items()]
    return Competition(heats, notes)


def of_runs(
    config: DictConfig, gathered: Gathered, scenarios: dict[str, DictConfig] | None, num_envs: int
) -> Competition:
    """Training runs, each in the environment that it was trained in, beside the configured policies.

    Args:
        config: the composed configuration; policies, transceiver and sizes are taken from it.
        gathered: the runs.
        scenarios: where all of them compete; None: each run in the scenario that it was trained in.
        num_envs: sessions side by side.

    Raises:
        ValueError: no run that can be loaded, or anything of `agents.runs.setup.prepare`.
    """
    places = scenarios or named_scenarios(run.config.scenario for run in gathered.runs)
    left_out, heats, setups = list(gathered.left_out), [], dict[str, Setup]()
    for name, scenario in places.items():
        chosen = [run for run in gathered.runs if scenarios or run.config.scenario == scenario]
        configs = [_of_run(config, run, scenario) for run in chosen]
        refused: dict[str, str] = {}
        setup = prepare(configs[0], num_envs, refused)
        setups[_key(configs[0])] = setup
        left_out += [f"policy {label} is left out of {name}: {reason}" for label, reason in refused.items()]
        if len({_key(each) for each in configs}) > 1:
            left_out.append(
                f"{name}: the runs differ in their environments; policies without a run have {chosen[0].name}'s"
            )
        competitors = []
        for run, own in zip(chosen, configs, strict=True):
            try:
                if _key(own) not in setups:
                    setups[_key(own)] = prepare(_with(own, {"policies": {"random": "random"}}), num_envs)
                made = contender(str(run.policy_file), setups[_key(own)].settings, num_envs)
            except DAMAGED as error:
                left_out.append(f"run {run.name} is left out of {name}: {' '.join(str(error).split())}")
                continue
            competitors.append(Competitor(run.group, made, run.name, run.seed))
        if competitors:
            heats.append(Heat(name, configs[0], setup, [*competitors, *_competitors(setup)]))
    if not heats:
        raise ValueError("; ".join(left_out))
    return Competition(heats, left_out)


def run_files(gathered: Gathered | None) -> dict[str, Path]:
    """Name -> policy file of each run."""
    return {run.name: run.policy_file for run in gathered.runs} if gathered else {}


def _competitors(setup: Setup) -> list[Competitor]:
    return [Competitor(label, each) for label, each in setup.contenders.items()]


def _of_run(config: DictConfig, run: GatheredRun, scenario: DictConfig) -> DictConfig:
    own = {key: run.config[key] for key in OF_A_RUN if key in run.config}
    return _with(config, own | {"scenario": scenario})


def _with(config: DictConfig, changes: dict[str, Any]) -> DictConfig:
    """A copy with other groups, taken whole: nothing of the replaced ones stays."""
    changed = OmegaConf.create(plain(config))
    for key, value in changes.items():
        changed[key] = plain(value)
    return changed


def _key(config: DictConfig) -> str:
    return str({key: plain(config[key]) for key in OF_A_RUN})
