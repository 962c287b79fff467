"""`evaluate.py`: every policy on the same requests, as a table, CSV files, figures and a report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from rich.text import Text

from agents.policies.model_based import check_one_reward
from agents.reports.numbers import Numbers
from agents.reports.provenance import (
    Source,
    describe,
    environment_facts,
    file_fingerprint,
    library_versions,
    policy_files,
    script,
)
from agents.reports.report import write_numbers, write_report
from agents.reports.tables import render, same_requests
from agents.reports.terminal import print_results, terminal
from agents.runs.competition import OF_A_RUN, Competition, of_policies, of_runs
from agents.runs.kept import GATHER, Kept
from agents.runs.settings import GROUPS, EvaluateSettings, override_keys, policy_names, read_settings
from agents.runs.setup import scenario_configs, scenario_name
from envs.command_line import command_line, plain, shown
from envs.files import WHOLE, Shard


def evaluate_policies(config: DictConfig, folder: Path, overrides: Sequence[str] = (), scenario: str = "paper") -> None:
    """Run `evaluate.py`.

    Args:
        config: the composed configuration.
        folder: the run's own folder.
        overrides: what the command line changed, as Hydra gives it.
        scenario: name of the configured scenario.

    Raises:
        ValueError: bad input, before any work.
    """
    settings = read_settings(EvaluateSettings, config, GROUPS)
    _check_overrides(settings, overrides)
    kept = _kept(settings)
    scenarios = None if settings.scenarios is None else scenario_configs(settings.scenarios)
    if settings.runs is None:
        chosen = {scenario_name(config.scenario, scenario): config.scenario} if scenarios is None else scenarios
        competition = of_policies(config, chosen, settings.num_envs, _asked_for(config, overrides))
    else:
        competition = of_runs(config, Path(settings.runs), scenarios, settings.num_envs)
    for heat in competition.heats:
        check_one_reward(heat.setup.environment.model)
    console = terminal()
    for line in dict.fromkeys(describe(heat.config, heat.setup.environment) for heat in competition.heats):
        console.print(line)
    for sentence in competition.left_out:
        console.print(f"note: {sentence}", soft_wrap=True)

    asked = competition.turns, settings.num_requests, settings.all_seeds
    with console.status("Evaluating") as status:

        def on_turn(turn: str) -> None:
            status.update(Text(f"Evaluating {turn}"))

        if kept.folder is not None and settings.shard != GATHER:
            own, every = kept.serve(*asked, on_turn)
            if kept.shard != WHOLE:
                told = f"{own} of {every} evaluations are this part's, and are in {shown(kept.folder)}; when all are, "
                console.print(told + f"make the report with shard={GATHER}", soft_wrap=True)
                return
        entries = kept.entries(*asked, on_turn)
    with console.status("Statistics"):
        numbers = Numbers.from_trials(entries, settings.bins)
    requests = same_requests(settings.num_requests * len(settings.all_seeds), settings.num_envs, settings.requests)
    for name, rows in numbers.comparison.items():
        title = requests if len(numbers.comparison) == 1 else f"{name}: {requests}"
        console.print(render(rows, title=title))
    written = write_numbers(numbers, folder)
    if settings.figures:
        with console.status("Drawing figures"):
            source = _source(config, competition, overrides)
            written += write_report(numbers, folder, source, settings.bins)
    print_results(console, folder, written)


def _kept(settings: EvaluateSettings) -> Kept:
    """Where evaluations of training runs are kept, and which part of them is asked for.

    Raises:
        ValueError: a shard that is none, or one without runs.
    """
    if settings.runs is None:
        if settings.shard is not None or settings.cells is not None:
            raise ValueError("shard and cells are for the evaluation of training runs: name them with runs=FOLDER")
        return Kept()
    shard = WHOLE if settings.shard in (None, GATHER) else Shard.from_text(settings.shard)
    return Kept(Path(settings.runs) / "evaluations" if settings.cells is None else Path(settings.cells), shard)


def _asked_for(config: DictConfig, overrides: Sequence[str]) -> set[str]:
    """Labels of the policies that the command line names; the others are there by default."""
    keys = override_keys(overrides)
    return {label for label in policy_names(config) if "policies" in keys or f"policies.{label}" in keys}


def _check_overrides(settings: EvaluateSettings, overrides: Sequence[str]) -> None:
    """Refuse what would have no effect.

    Raises:
        ValueError: a changed scenario beside `scenarios`, a changed environment beside `runs`, or other requests to
            learn from.
    """
    changed = {re.split("[.@/]", key)[0]: key for key in reversed(override_keys(overrides))}
    if settings.seeds is not None and "seed" in changed:
        raise ValueError("seed and seeds exclude each other: give one of them")
    if settings.scenarios is not None and "scenario" in changed:
        raise ValueError(f"scenarios names whole scenarios, got {changed['scenario']} too: give one of them")
    if settings.runs is not None and (idle := [changed[group] for group in OF_A_RUN if group in changed]):
        raise ValueError(
            f"runs are evaluated in the environments of their own configurations; got {', '.join(idle)} too, "
            "allowed beside it: shard, cells, scenarios, seed, seeds, requests, policies, num_requests, num_envs, "
            "bins, figures"
        )
    if "env.requests" in override_keys(overrides):
        raise ValueError("env.requests are those that agents learn from; policies are judged on those of requests=...")


def _source(config: DictConfig, competition: Competition, overrides: Sequence[str]) -> Source:
    facts: dict[str, dict[str, str]] = {}
    for heat in competition.heats:
        own = environment_facts(heat.config, heat.setup.environment)
        if not facts:
            facts["Environment"] = own
        elif changed := {key: value for key, value in own.items() if facts["Environment"].get(key) != value}:
            facts[f"Environment of {heat.scenario}, where it differs"] = changed
        facts[f"Scenario {heat.scenario}"] = {key: str(value) for key, value in plain(heat.config.scenario).items()}
    files = dict(competition.run_files)
    for heat in competition.heats:
        files |= policy_files(policy_names(config), heat.setup.environment.model.settings.acceptance_rule)
    if files:
        facts["Policy files (SHA-256)"] = {label: file_fingerprint(path) for label, path in files.items()}
    facts["Libraries"] = library_versions()
    return Source(
        command_line(script("evaluate.py"), overrides),
        facts,
        OmegaConf.to_yaml(config, resolve=True),
        {heat.scenario: heat.setup.environment.model.num_inference_steps for heat in competition.heats},
        competition.left_out,
    )
