"""The report of a comparison: numbers to CSV, figures to PNG and PDF, and one HTML page with all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agents.evaluation.trials import Trial, by_policy, scenarios_of
from agents.reports import page_tables
from agents.reports.html import Page, Part, Picture, Section, write_page
from agents.reports.numbers import ALL, Numbers
from agents.reports.page_tables import CELLS, OF_RUNS, OF_SESSIONS, STATES
from agents.reports.style import label_of
from envs.files import write_rows

BOUNDS = ("oracle", "clairvoyant")
"""Policies that stand above what can be learnt."""

FIGURES = "figures"
REPORT = "report.html"

Drawn = Mapping[tuple[str, str], tuple[Path, Path]]
"""(scenario or `ALL`, name) -> PNG and PDF."""


@dataclass(frozen=True)
class Source:
    """What a reader needs to make the report again.

    Attributes:
        command: as typed.
        facts: heading -> facts by name.
        configuration: the resolved one, as YAML.
        num_inference_steps: T of each scenario.
        notes: what was left out, a sentence each.
    """

    command: str
    facts: Mapping[str, Mapping[str, str]]
    configuration: str
    num_inference_steps: Mapping[str, int]
    notes: Sequence[str] = field(default_factory=tuple)


def write_numbers(numbers: Numbers, folder: Path) -> list[Path]:
    """Write every number of the report as CSV; the same numbers give the same bytes.

    Returns:
        The files written.
    """
    tables = numbers.as_rows()
    for name, rows in tables.items():
        write_rows(folder / f"{name}.csv", rows)
    return [folder / f"{name}.csv" for name in tables]


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
    figures = _draw(numbers, folder / FIGURES, source, bins)
    page = Page(
        title="Training runs compared" if numbers.of_runs else "Policies compared",
        lead=_lead(numbers.trials),
        finding=finding(numbers),
        sections=[section for section in _sections(numbers, figures) if section.parts],
        command=source.command,
        notes=source.notes,
        facts=source.facts,
        configuration=source.configuration,
    )
    write_page(page, folder / REPORT)
    return [folder / REPORT, *(path for pair in figures.values() for path in pair)]


def finding(numbers: Numbers) -> str:
    """The best policy of each scenario in a sentence, the bounds aside."""
    told = []
    for scenario, rows in numbers.comparison.items():
        best = next((row for row in rows if row.policy not in BOUNDS), rows[0])
        text = (
            f"{label_of(best.policy)} satisfies most, {best.satisfaction:.3f} "
            f"(95 % {best.satisfaction_low:.3f} to {best.satisfaction_high:.3f})"
        )
        if np.isfinite(best.relative_to_oracle) and best.policy not in BOUNDS:
            text += f", {_percent(best.relative_to_oracle)} of the oracle"
        if np.isfinite(best.gain_over_fixed):
            text += (
                f" and {best.gain_over_fixed:+.3f} ({best.gain_over_fixed_low:+.3f} to "
                f"{best.gain_over_fixed_high:+.3f}) over the best fixed split"
            )
        told.append(f"{scenario}: {text}" if len(numbers.scenarios) > 1 else text)
    bounded = any(row.policy in BOUNDS for rows in numbers.comparison.values() for row in rows)
    return ("Bounds aside, " if bounded else "") + "; ".join(told) + "."


def _draw(numbers: Numbers, folder: Path, source: Source, bins: int) -> Drawn:
    from agents.reports import statistics_figures as draw  # matplotlib is slow to import
    from agents.reports.figures import write_figures
    from agents.reports.style import save_figure

    together = {"interquartile_mean": draw.draw_intervals(numbers.aggregates)}
    if numbers.improvement:
        together["improvement"] = draw.draw_improvement(numbers.improvement)
    if numbers.profiles:
        together["performance_profile"] = draw.draw_profiles(numbers.profiles, numbers.of_runs)
    written = {(ALL, name): save_figure(figure, folder / name) for name, figure in together.items()}
    for scenario, maps in numbers.maps.items():
        own = folder / _file_name(scenario) if len(numbers.scenarios) > 1 else folder
        written[scenario, "cells"] = save_figure(draw.draw_cell_maps(maps), own / "cells")
        results = by_policy(numbers.trials, scenario)
        paths = write_figures(results, own, source.num_inference_steps[scenario], bins)
        for png, pdf in zip(paths[::2], paths[1::2], strict=True):
            written[scenario, png.stem] = png, pdf
    return written


def _file_name(scenario: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in scenario)


def _lead(trials: Sequence[Trial]) -> str:
    first = trials[0].outcomes
    names, seeds = scenarios_of(trials), list(dict.fromkeys(first["seed"].tolist()))
    policies = dict.fromkeys(trial.policy for trial in trials)
    runs = {trial.run for trial in trials if trial.run}
    words = [f"{len(runs)} training runs in {len({t.policy for t in trials if t.run})} groups"] if runs else []
    words += [
        f"{len(policies)} {'groups and policies' if runs else 'policies'}",
        f"scenario{'s' if len(names) > 1 else ''} {', '.join(names)}",
        f"{len(first['reward']):,} requests{' in each' if len(names) > 1 else ''} "
        f"({len(np.unique(first['episode'])):,} sessions), the same for all",
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}",
    ]
    return " · ".join(words)


def _sections(numbers: Numbers, figures: Drawn) -> list[Section]:
    texts = OF_RUNS if numbers.of_runs else OF_SESSIONS
    several = len(numbers.scenarios) > 1

    def pictures(scenario: str, captions: Mapping[str, str]) -> list[Picture]:
        shown = {name: caption for name, caption in captions.items() if (scenario, name) in figures}
        return [Picture.read(figures[scenario, name][0], caption) for name, caption in shown.items()]

    def together(name: str, caption: str) -> list[Part]:
        return [Part(pictures=found)] if (found := pictures(ALL, {name: caption})) else []

    def in_each(captions: Mapping[str, str]) -> list[Part]:
        return [Part(name if several else "", pictures=pictures(name, captions)) for name in numbers.scenarios]

    comparison = [
        Part(name if several else "", [page_tables.comparison(rows)]) for name, rows in numbers.comparison.items()
    ]
    iqm = Part(
        tables=[page_tables.aggregates(numbers)],
        pictures=pictures(ALL, {"interquartile_mean": texts["iqm_caption"]}),
        beside=not several,
    )
    runs = [Part(tables=[page_tables.runs(numbers)])] if numbers.runs else []
    return [
        Section("comparison", "Comparison", texts["comparison"], comparison),
        Section("runs", "Training runs", "", runs),
        Section("iqm", "Interquartile mean", texts["iqm"], [iqm]),
        Section(
            "improvement",
            "Probability of improvement",
            texts["improvement"],
            together("improvement", "Blue: the policy of the row is better. Red: that of the column."),
        ),
        Section(
            "profiles",
            "Performance profiles",
            texts["profiles"],
            together("performance_profile", "Bands are 95 %, at each τ for itself."),
        ),
        Section("cells", "Where each policy does well", CELLS, in_each({"cells": "Numbers are per cent."})),
        Section("states", "Over SNR and compute", "Bands are 95 %, from resampling whole sessions.", in_each(STATES)),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
