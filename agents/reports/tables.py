"""Tables of policies: their numbers, and their columns for the terminal and the report's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.evaluation.entries import Outcomes, crossed
from agents.evaluation.statistics import NOTHING, Interval, mean_interval, paired_difference, ratio_interval
from agents.reports.style import label_of

BELOW = "below 0"
"""Of a way that leads back: where its ends are near each other, its per cent would be in thousands and say nothing."""


@dataclass(frozen=True)
class PolicyRow:
    """One policy over N requests, with 95 % bootstrap intervals; NaN where something does not apply.

    Attributes:
        policy: its label.
        satisfaction: mean reward in [0, 1].
        relative_to_bound: satisfaction as a fraction of that of `oracle_bound`, the exact optimum on these requests.
        gain_over_fixed: paired mean difference of satisfaction to the best fixed split.
        way_to_bound: how much of the way from the best two-split rule (0) to `oracle_bound` (1) is covered; NaN where
            the bound is not clear of the rule, as a myopic one may be.
        latency_s: mean seconds until an image is accepted or given up, all attempts together.
        energy_j: mean joules of both devices.
        attempts: mean transmissions (or generations) a request.
        failed: fraction of requests without an acceptable image in time.
        split: mean denoising steps at the edge.
    """

    policy: str
    satisfaction: Interval
    relative_to_bound: float
    gain_over_fixed: Interval
    way_to_bound: Interval
    latency_s: float
    energy_j: float
    attempts: float
    failed: float
    split: float


def summarise(results: Mapping[str, Outcomes]) -> list[PolicyRow]:
    """One row a policy, the best satisfaction first.

    Args:
        results: label -> outcomes on the same requests. The columns that compare need the policies
            `oracle_bound`, `best_fixed` and `two_split` among them.
    """
    mean = {label: float(np.mean(outcomes["reward"])) for label, outcomes in results.items()}
    bound, fixed = mean.get("oracle_bound", np.nan), results.get("best_fixed", {})
    rows = []
    for label, own in results.items():
        compared = "best_fixed" in results and label != "best_fixed"
        rows.append(
            PolicyRow(
                label,
                mean_interval(own["reward"], crossed(own)),
                mean[label] / bound if bound != 0 else np.nan,
                paired_difference(own["reward"], fixed["reward"], crossed(own)) if compared else NOTHING,
                _way(own, results),
                *(float(np.mean(own[name])) for name in ("latency_s", "energy_j", "attempts", "failed", "split")),
            )
        )
    return sorted(rows, key=lambda row: -row.satisfaction.mean)


def _way(own: Outcomes, results: Mapping[str, Outcomes]) -> Interval:
    """How much of the way from the two-split rule to the bound a policy covers."""
    if not {"oracle_bound", "two_split"} <= set(results):
        return NOTHING
    rule, bound = (results[name]["reward"] for name in ("two_split", "oracle_bound"))
    return ratio_interval(own["reward"] - rule, bound - rule, crossed(own))


class TableCell(NamedTuple):
    """What stands in a table, and half of its interval where it has one."""

    text: str
    half: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table, wherever it is shown.

    Attributes:
        heading: in lines, as a terminal needs them.
        of: what a row has there: text, a number or an interval; – where it is not finite.
        form: of a number, as of `str.format`.
    """

    heading: str
    of: Callable[[Any], str | float | Interval]
    form: str = ""

    def cell(self, row: Any) -> TableCell:
        """What stands there for a row."""
        value = self.of(row)
        if isinstance(value, str):
            return TableCell(value)
        mean, half = (value.mean, value.half) if isinstance(value, Interval) else (value, np.nan)
        text = self.form.format(mean) if np.isfinite(mean) else "–"
        width = self.form if self.form.endswith("%}") else "{:.3f}"
        return TableCell(text, width.format(half) if np.isfinite(half) else "")


POLICIES = (
    Column("Policy", lambda row: label_of(row.policy)),
    Column("Satisfaction", lambda row: row.satisfaction, "{:.3f}"),
    Column("Of\nbound", lambda row: row.relative_to_bound, "{:.1%}"),
    Column("Over best\nfixed split", lambda row: row.gain_over_fixed, "{:+.3f}"),
    Column("Way to\nbound", lambda row: BELOW if row.way_to_bound.mean < 0 else row.way_to_bound, "{:.0%}"),
    Column("Latency", lambda row: row.latency_s, "{:.1f} s"),
    Column("Energy", lambda row: row.energy_j, "{:,.0f} J"),
    Column("Attempts", lambda row: row.attempts, "{:.2f}"),
    Column("Failed", lambda row: row.failed, "{:.1%}"),
    Column("Split", lambda row: row.split, "{:.1f}"),
)
"""Of rows of policies."""


def way_text(share: float | Interval) -> str:
    """A share of the way from one policy to another, as far as it says something: `59%`, `below 0`, or –.

    That of an interval says its limits too: `59% (95 % 48% to 70%)`.
    """
    if not isinstance(share, Interval):
        return BELOW if share < 0 else f"{share:.0%}" if np.isfinite(share) else "–"
    known = share.mean >= 0 and np.isfinite((share.low, share.high)).all()
    return share.text(".0%") if known else way_text(share.mean)


def same_requests(num_requests: int, num_envs: int, part: str) -> str:
    """What all policies of a table served; the requests depend on how many sessions ran at once."""
    of = "" if part == "all" else f"{part} "
    return f"{num_requests:,} {of}requests, the same for every policy, {num_envs} sessions side by side"


def render(rows: Sequence[PolicyRow], title: str) -> Table:
    """The rows as a table for a terminal of 80 columns; energy and attempts are in the CSV file only."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.show_edge, table.padding = False, 0
    columns = [column for column in POLICIES if column.heading not in ("Energy", "Attempts")]
    for column in columns:
        table.add_column(column.heading, justify="left" if column is columns[0] else "right", no_wrap=True)
    for row in rows:
        cells = [column.cell(row) for column in columns]
        table.add_row(*(f"{cell.text}±{cell.half}" if cell.half else cell.text for cell in cells))
    table.caption_justify = "left"
    table.caption = (
        "\nMeans; ± is half of a 95 % bootstrap interval over sessions and requests.\n"
        "Bound: oracle_bound, the exact optimum of a step on these very requests.\n"
        "Way to bound: 0 % is the best two-split rule, 100 % the bound."
    )
    return table
