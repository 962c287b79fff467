"""The report of a comparison: numbers to CSV, figures to PNG and PDF, and one HTML page with all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from agents.evaluation.entries import by_policy
from agents.reports import figures
from agents.reports.numbers import ALL, Numbers
from agents.reports.page import Picture, write_page
from agents.reports.provenance import Source
from agents.reports.style import save_figure
from envs.files import write_rows


def write_numbers(numbers: Numbers, folder: Path) -> list[Path]:
    """Write every number of the report as CSV, the files written; the same numbers give the same bytes."""
    tables = {folder / f"{name}.csv": rows for name, rows in numbers.as_rows().items()}
    for path, rows in tables.items():
        write_rows(path, rows)
    return list(tables)


def write_report(numbers: Numbers, folder: Path, source: Source, bins: int) -> list[Path]:
    """Draw the figures and write the page.

    Args:
        numbers: of every policy in every scenario.
        folder: where the page goes; the figures go into its `figures`.
        source: what it was made with.
        bins: points along SNR and compute in the figures of lines.

    Returns:
        The files written, the page first.
    """
    written = {}
    for scenario, name, figure in _figures(numbers, source, bins):
        apart = re.sub(r"[^\w-]", "_", scenario) if scenario != ALL and len(numbers.scenarios) > 1 else ""
        written[scenario, name] = save_figure(figure, folder / "figures" / apart / name)
    pictures = {key: Picture.read(png) for key, (png, _) in written.items()}
    write_page(folder / "report.html", numbers, source, pictures)
    return [folder / "report.html", *(path for pair in written.values() for path in pair)]


def _figures(numbers: Numbers, source: Source, bins: int) -> Iterator[tuple[str, str, Figure]]:
    """Scenario (or `ALL`), name and figure, one after another."""
    yield ALL, "interquartile_mean", figures.draw_interquartile_means(numbers.aggregates)
    if numbers.improvement:
        yield ALL, "improvement", figures.draw_improvement(numbers.improvement)
    if numbers.profiles:
        yield ALL, "performance_profile", figures.draw_profiles(numbers.profiles, numbers.of_runs)
    for scenario, maps in numbers.maps.items():
        yield scenario, "cells", figures.draw_cell_maps(maps)
        results = by_policy(numbers.entries, scenario)
        for name, figure in figures.state_figures(results, source.num_inference_steps[scenario], bins):
            yield scenario, name, figure
