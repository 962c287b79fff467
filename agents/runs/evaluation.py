"""`evaluate.py`: every policy on the same requests, as a table, a CSV file and figures."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from agents.reports.description import describe
from agents.reports.tables import render, summarise, write_csv
from agents.runs.comparison import compare
from agents.runs.settings import GROUPS, EvaluateSettings
from agents.runs.setup import prepare


def evaluate_policies(config: DictConfig, folder: Path) -> None:
    """Run `evaluate.py`.

    Args:
        config: the composed configuration.
        folder: the run's own folder.

    Raises:
        ValueError: bad input, before any work.
    """
    settings = EvaluateSettings.from_config(config, GROUPS)
    setup = prepare(config, settings.num_envs)
    console = Console()
    console.print(describe(config, setup.environment), highlight=False)

    with console.status("Evaluating") as status:
        results = compare(
            setup.contenders,
            num_requests=settings.num_requests,
            seed=settings.seed,
            on_policy=lambda label: status.update(f"Evaluating {label}"),
        )
    rows = summarise(results)
    console.print(render(rows, title=f"{settings.num_requests:,} requests, the same for every policy"))
    written = [folder / "comparison.csv"]
    write_csv(rows, written[0])
    if settings.figures:
        from agents.reports.figures import write_figures  # matplotlib is slow to import

        with console.status("Drawing figures"):
            steps = setup.environment.model.profile.num_inference_steps
            written += write_figures(results, folder / "figures", steps, settings.bins)
    for path in written:
        console.print(path, highlight=False, soft_wrap=True)
