"""`python evaluate.py experiment=NAME`: run one experiment and write what it found."""

from __future__ import annotations

import time
from pathlib import Path
from types import ModuleType

from omegaconf import DictConfig

from agents.experiments.shared.findings import FULL, claims_table, write_findings
from agents.experiments.shared.study import Study
from agents.reports.provenance import describe
from agents.reports.terminal import print_results, terminal
from envs import checks
from envs.command_line import plain


def run_experiment(module: ModuleType, config: DictConfig, folder: Path, size: str = FULL) -> None:
    """Run an experiment.

    Args:
        module: of `agents.experiments`, with `Options` and `run`.
        config: the composed configuration of `evaluate.py` with the group `experiment`.
        folder: the experiment's own folder.
        size: a variant of `configs/size`.

    Raises:
        ValueError: bad input, before any work.
    """
    given = plain(config.experiment)
    name = given.pop("name")
    options = checks.parse(module.Options, given, "experiment", "experiment.")
    console = terminal()
    study = Study.prepare(config, folder, console)
    source = describe(config, study.environment)
    console.print(source)

    if size != FULL:
        study.note(f"size={size}: this shows that the experiment runs; its numbers and verdicts say nothing")
    start = time.perf_counter()
    findings = module.run(study, options)
    seconds = time.perf_counter() - start
    written = write_findings(findings, name, folder, source, seconds, size)
    console.print(claims_table(findings.claims, findings.title))
    print_results(console, folder, written)
