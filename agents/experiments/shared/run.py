"""`python evaluate.py experiment=NAME`: run one experiment and write what it found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from omegaconf import DictConfig
from rich.console import Console

from agents.experiments.shared.findings import claims_table, write_findings
from agents.experiments.shared.study import Study
from agents.reports.provenance import describe
from envs import checks
from envs.command_line import plain

UNUSED = ("num_requests", "num_envs", "bins", "figures", "seeds", "scenarios", "runs")
"""Keys of `evaluate.py` that size the plain comparison only."""


def run_experiment(module: ModuleType, config: DictConfig, folder: Path, overrides: Sequence[str]) -> None:
    """Run an experiment.

    Args:
        module: of `agents.experiments`, with `Options` and `run`.
        config: the composed configuration of `evaluate.py` with the group `experiment`.
        folder: the experiment's own folder.
        overrides: what the command line changed, as Hydra gives it.

    Raises:
        ValueError: bad input, before any work.
    """
    given = plain(config.experiment)
    name = given.pop("name")
    keys = [override.lstrip("+~").partition("=")[0] for override in overrides]
    if idle := [key for key in keys if key in UNUSED]:
        raise ValueError(f"{', '.join(idle)} sizes the plain comparison; an experiment takes {', '.join(given)}")
    options = checks.parse(module.Options, given, "experiment", "experiment.")
    console = Console()
    study = Study.prepare(config, folder, console)
    source = describe(config, study.environment)
    console.print(source, highlight=False)

    start = time.perf_counter()
    findings = module.run(study, options)
    seconds = time.perf_counter() - start
    written = write_findings(findings, name, folder, source, seconds)
    console.print(claims_table(findings.claims, findings.title))
    for path in written:
        console.print(path, highlight=False, soft_wrap=True)
