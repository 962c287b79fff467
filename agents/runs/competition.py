"""Who is compared where: policies and training runs in one or several scenarios, with several seeds of requests."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.evaluation.comparison import Contender, contender
from agents.evaluation.entries import Entry
from agents.reports.provenance import PROJECT, file_fingerprint, library_versions, policy_files
from agents.runs.gathering import GatheredRun, gather
from agents.runs.kept import Turn
from agents.runs.settings import environment_settings, policy_names
from agents.runs.setup import Setup, named_scenarios, prepare, prepare_environment
from envs import SplitSettings
from envs.command_line import plain
from envs.transceiver import SHIPPED_PROFILE

OF_A_RUN = ("env", "scenario", "channel", "devices", "costs")
"""Groups of the environment that a run was trained in."""


@dataclass(frozen=True)
class Heat:
    """One scenario.

    Attributes:
        scenario: its name.
        config: the configuration with this scenario.
        setup: the environment of the policies, and these.
        turns: of the training runs that they are compared with, and of the policies.
    """

    scenario: str
    config: DictConfig
    setup: Setup
    turns: Sequence[Turn]


@dataclass(frozen=True)
class Competition:
    """All scenarios, one sentence for each thing that was left out, and the policy file of each training run."""

    heats: list[Heat]
    left_out: list[str]
    run_files: dict[str, Path] = field(default_factory=dict)

    @property
    def turns(self) -> list[Turn]:
        """Every competitor in every scenario."""
        return [turn for heat in self.heats for turn in heat.turns]


def _turn_of_run(scenario: str, config: DictConfig, run: GatheredRun, by: Contender) -> Turn:
    facts = _facts(config) | {"policy": file_fingerprint(run.policy_file)}
    return Turn(Entry(scenario, run.group, {}, run.name, run.seed), run.name, by, facts)


def _turns_of_policies(scenario: str, config: DictConfig, contenders: Mapping[str, Contender]) -> list[Turn]:
    names, facts, rule = policy_names(config), _facts(config), environment_settings(config).acceptance_rule
    files = {label: file_fingerprint(path) for label, path in policy_files(names, rule).items()}
    return [
        Turn(Entry(scenario, label, {}), label, by, facts | {"policy": [names[label], files.get(label)]})
        for label, by in contenders.items()
    ]


def _facts(config: DictConfig) -> dict[str, Any]:
    """All that the outcomes of any policy in an environment depend on."""
    groups = {key: plain(config[key]) for key in (*OF_A_RUN, "transceiver")}
    profile = file_fingerprint(Path(config.env.profile or SHIPPED_PROFILE))
    return {"requests": config.requests, "profile": profile, "version": library_versions()[PROJECT]} | groups


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
        setup = prepare(own, num_envs, config.requests, refused)
        heats.append(Heat(name, own, setup, _turns_of_policies(name, own, setup.contenders)))
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

    Only the requests are those of `config.requests`: others than it learnt from.

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
        setup = prepare(configs[0], num_envs, config.requests, refused)
        environments[_key(configs[0])] = setup.judged
        left_out += [f"policy {label} is left out of {name}: {reason}" for label, reason in refused.items()]
        if len({_key(each) for each in configs}) > 1:
            left_out.append(
                f"{name}: the runs differ in their environments; policies without a run have {chosen[0].name}'s"
            )
        entered = []
        for run, own in zip(chosen, configs, strict=True):
            try:
                if _key(own) not in environments:
                    settings = prepare_environment(own, num_envs)[0]
                    environments[_key(own)] = replace(settings, requests=setup.judged.requests)
                by = contender(str(run.policy_file), environments[_key(own)], num_envs)
                entered.append(_turn_of_run(name, own, run, by))
            except (ValueError, OSError) as error:
                left_out.append(f"run {run.name} is left out of {name}: {' '.join(str(error).split())}")
        if entered:
            policies = _turns_of_policies(name, configs[0], setup.contenders)
            heats.append(Heat(name, configs[0], setup, [*entered, *policies]))
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
