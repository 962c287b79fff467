"""The report's page: one self-contained HTML file, pictures inline, no script, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from PIL import Image

from agents.evaluation.entries import Entry, scenarios_of
from agents.evaluation.statistics import NOTHING, Interval
from agents.reports.numbers import ALL, NumberRow, Numbers
from agents.reports.provenance import Source
from agents.reports.style import label_of
from agents.reports.tables import POLICIES, Column
from envs.files import write_text

TEMPLATES = Environment(
    loader=PackageLoader("agents.reports"), autoescape=select_autoescape(["html"]), undefined=StrictUndefined
)
DOTS_A_PIXEL = 1.6
"""Of the figures: their letters are then as large as those of the page."""
BOUNDS = ("oracle_bound", "planner_bound", "clairvoyant")
"""Policies that stand above what can be learnt."""


class Picture(NamedTuple):
    """A PNG and its size on the page, in CSS pixels."""

    base64: str
    width: int
    height: int

    @classmethod
    def read(cls, path: Path) -> Picture:
        """Take a PNG file in."""
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        return cls(base64.b64encode(data).decode("ascii"), round(width / DOTS_A_PIXEL), round(height / DOTS_A_PIXEL))


class PageTable(NamedTuple):
    """What a table shows of its rows."""

    columns: Sequence[Column]
    rows: Sequence[Any]


def write_page(path: Path, numbers: Numbers, source: Source, pictures: Mapping[tuple[str, str], Picture]) -> None:
    """Write the page; what it says is escaped.

    Args:
        path: of the file; its folder is there.
        numbers: of every policy in every scenario.
        source: what it was made with.
        pictures: (scenario or `ALL`, name) -> picture.
    """
    text = TEMPLATES.get_template("report.html").render(
        title="Training runs compared" if numbers.of_runs else "Policies compared",
        lead=_lead(numbers.entries),
        finding=finding(numbers),
        all=ALL,
        of_runs=numbers.of_runs,
        several=len(numbers.scenarios) > 1,
        comparison={name: PageTable(POLICIES, rows) for name, rows in numbers.comparison.items()},
        runs=_runs(numbers),
        aggregates=_aggregates(numbers),
        pictures=pictures,
        source=source,
    )
    write_text(path, text)


def finding(numbers: Numbers) -> str:
    """The best policy of each scenario in a sentence, the bounds aside."""
    parts = []
    for scenario, rows in numbers.comparison.items():
        best = next((row for row in rows if row.policy not in BOUNDS), rows[0])
        text = f"{label_of(best.policy)} satisfies most, {best.satisfaction.text('.3f')}"
        if np.isfinite(best.relative_to_bound) and best.policy not in BOUNDS:
            text += f", {100 * best.relative_to_bound:.1f} % of the bound"
        gain = best.gain_over_fixed
        if np.isfinite(gain.mean):
            text += f" and {gain.mean:+.3f} ({gain.span('+.3f')}) over the best fixed split"
        parts.append(f"{scenario}: {text}" if len(numbers.scenarios) > 1 else text)
    bounded = any(row.policy in BOUNDS for rows in numbers.comparison.values() for row in rows)
    return ("Bounds aside, " if bounded else "") + "; ".join(parts) + "."


def _lead(entries: Sequence[Entry]) -> str:
    first = entries[0].outcomes
    names, seeds = scenarios_of(entries), list(dict.fromkeys(first["seed"].tolist()))
    policies = dict.fromkeys(entry.policy for entry in entries)
    runs = {entry.run for entry in entries if entry.run}
    words = [f"{len(runs)} training runs in {len({t.policy for t in entries if t.run})} groups"] if runs else []
    words += [
        f"{len(policies)} {'groups and policies' if runs else 'policies'}",
        f"scenario{'s' if len(names) > 1 else ''} {', '.join(names)}",
        f"{len(first['reward']):,} requests{' in each' if len(names) > 1 else ''} "
        f"({len(np.unique(first['episode'])):,} sessions, {len(np.unique(first['request'])):,} prompts and seeds), "
        "the same for all",
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}",
    ]
    return " · ".join(words)


def _runs(numbers: Numbers) -> PageTable:
    """Every training run in every scenario."""
    columns = [
        Column("Run", lambda row: row["run"]),
        Column("Group", lambda row: label_of(row["group"])),
        Column("Scenario", lambda row: row["scenario"]),
        Column("Seed", lambda row: str(row["training_seed"])),
        Column("Satisfaction", lambda row: row["satisfaction"], "{:.3f}"),
        Column("Latency", lambda row: row["latency_s"], "{:.1f} s"),
        Column("Attempts", lambda row: row["attempts"], "{:.2f}"),
        Column("Failed", lambda row: row["failed"], "{:.1%}"),
    ]
    several = len(numbers.scenarios) > 1
    return PageTable([column for column in columns if several or column.heading != "Scenario"], numbers.runs)


def _aggregates(numbers: Numbers) -> PageTable:
    """Interquartile means: with limits for a single scenario, one column a scenario for several."""
    policy = Column("Policy", lambda row: label_of(row["policy"]))
    if len(numbers.scenarios) > 1:
        found: dict[str, NumberRow] = {}
        for row in numbers.aggregates:
            found.setdefault(row["policy"], {"policy": row["policy"]})[row["scenario"]] = row["iqm"]
        headings = {name: name for name in numbers.scenarios} | {ALL: "All scenarios"}
        columns = [Column(heading, _interval_in(name), "{:.3f}") for name, heading in headings.items()]
        # Whoever is not in all of them has no place among all, and comes last.
        ordered = sorted(found.values(), key=lambda row: -row[ALL].mean if ALL in row else np.inf)
        return PageTable([policy, *columns], ordered)
    columns = [
        policy,
        Column("Interquartile mean", lambda row: row["iqm"].mean, "{:.3f}"),
        Column("95 % interval", lambda row: row["iqm"].span(".3f") if np.isfinite(row["iqm"].low) else "–"),
        Column("Mean", lambda row: row["mean"], "{:.3f}"),
        Column("Runs" if numbers.of_runs else "Sessions", lambda row: row["scores"], "{:,}"),
    ]
    return PageTable(columns, sorted(numbers.aggregates, key=lambda row: -row["iqm"].mean))


def _interval_in(scenario: str) -> Callable[[NumberRow], Interval]:
    return lambda row: row.get(scenario, NOTHING)
