"""What an experiment found: claims, figures and tables, and the files that they become."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.evaluation.statistics import flat
from agents.experiments.shared.claims import Claim
from agents.reports.style import save_figure
from envs.files import write_rows, write_text

T = TypeVar("T")


COMPARISON_FILE = "comparison.json"
FULL = "full"
"""The size of a result, see `configs/size`; others show only that the experiment runs."""
Row = Mapping[str, Any]


def named_rows(column: str, results: Mapping[str, T], rows: Callable[[T], Iterable[Row]]) -> list[Row]:
    """The rows of each result, with its name in a first column."""
    return [{column: name} | dict(row) for name, each in results.items() for row in rows(each)]


@dataclass(frozen=True)
class Findings:
    """Results of one experiment.

    Attributes:
        title: what it shows, in one line.
        figures: suffix -> figure; "" is the main one.
        tables: suffix -> rows of numbers, all with the same keys; units are in the keys. An interval becomes three
            columns.
        claims: lines of comparison.
        notes: what a reader must know, one line each.
    """

    title: str
    figures: Mapping[str, Figure]
    tables: Mapping[str, Sequence[Row]]
    claims: Sequence[Claim]
    notes: Sequence[str] = field(default_factory=tuple)


def write_findings(
    findings: Findings, name: str, folder: Path, source: str, seconds: float, size: str = FULL
) -> list[Path]:
    """Write `NAME.png`, `NAME.pdf`, `NAME.csv` and `comparison.json`; further ones as `NAME_SUFFIX`.

    Args:
        findings: of the run.
        name: of the experiment.
        folder: where the files go.
        source: which weights, profile, channel and costs the numbers come from.
        seconds: how long it took.
        size: of the run.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures: list[Path] = []
    for suffix, figure in findings.figures.items():
        figures += save_figure(figure, folder / _named(name, suffix))
    tables = [folder / f"{_named(name, suffix)}.csv" for suffix in findings.tables]
    for path, rows in zip(tables, findings.tables.values(), strict=True):
        write_rows(path, [flat(row) for row in rows])
    comparison = {
        "name": name,
        "title": findings.title,
        "source": source,
        "seconds": round(seconds, 1),
        "size": size,
        "figures": [path.name for path in figures if path.suffix == ".png"],
        "tables": [path.name for path in tables],
        "claims": [asdict(claim) for claim in findings.claims],
        "notes": list(findings.notes),
    }
    write_text(folder / COMPARISON_FILE, json.dumps(comparison, indent=1, ensure_ascii=False) + "\n")
    return [*figures, *tables, folder / COMPARISON_FILE]


def claims_table(claims: Sequence[Claim], title: str) -> Table:
    """The lines of comparison for a terminal."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, show_lines=True)
    for heading in ("Stated", "Measured", "Verdict"):
        table.add_column(heading, ratio=1)
    for claim in claims:
        table.add_row(claim.asked, claim.measured, claim.told)
    return table


def _named(name: str, suffix: str) -> str:
    return f"{name}_{suffix}" if suffix else name
