"""The table of policies: in the terminal, and as CSV with the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.evaluation.statistics import Interval, mean_interval, paired_difference
from agents.reports.style import label_of

Outcomes = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class PolicyRow:
    """One policy over N requests; `_low` and `_high` are 95 % bootstrap limits, NaN where they do not apply.

    Attributes:
        policy: its label.
        satisfaction: mean reward in [0, 1].
        relative_to_oracle: satisfaction as a fraction of the oracle's.
        gain_over_fixed: paired mean difference of satisfaction to the best fixed split.
        way_to_oracle: how much of the way from the best two-split rule (0) to the oracle (1) is covered; NaN where the
            oracle is not above the rule, as a myopic one may be.
        latency_s: mean seconds until an image is accepted or given up, all attempts together.
        energy_j: mean joules of both devices.
        attempts: mean transmissions (or generations) a request.
        failed: fraction of requests without an acceptable image in time.
        split: mean denoising steps at the edge.
    """

    policy: str
    satisfaction: float
    satisfaction_low: float
    satisfaction_high: float
    relative_to_oracle: float
    gain_over_fixed: float
    gain_over_fixed_low: float
    gain_over_fixed_high: float
    way_to_oracle: float
    latency_s: float
    energy_j: float
    attempts: float
    failed: float
    split: float


def summarise(results: Mapping[str, Outcomes]) -> list[PolicyRow]:
    """One row a policy, the best satisfaction first.

    Args:
        results: label -> outcomes on the same requests. The columns that compare need the policies `oracle`,
            `best_fixed` and `two_split` among them.
    """
    mean = {label: float(np.mean(outcomes["reward"])) for label, outcomes in results.items()}
    rows = [_row(label, results, mean) for label in results]
    return sorted(rows, key=lambda row: -row.satisfaction)


def render(rows: list[PolicyRow], title: str) -> Table:
    """The rows as a table for a terminal of 80 columns; energy and attempts are in the CSV file only."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.show_edge, table.padding = False, 0
    table.add_column("Policy", no_wrap=True)
    for heading in ("Satisfaction", "Of\noracle", "Over best\nfixed split", "Way to\noracle"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Latency", "Failed", "Split"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            label_of(row.policy),
            _interval(row.satisfaction, row.satisfaction_low, row.satisfaction_high, "{:.3f}"),
            _cell(row.relative_to_oracle, "{:.1%}"),
            _interval(row.gain_over_fixed, row.gain_over_fixed_low, row.gain_over_fixed_high, "{:+.3f}"),
            _cell(row.way_to_oracle, "{:.0%}"),
            f"{row.latency_s:.1f} s",
            f"{row.failed:.1%}",
            f"{row.split:.1f}",
        )
    table.caption_justify = "left"
    table.caption = (
        "\nMeans; ± is half of a 95 % bootstrap interval over sessions.\n"
        "Way to oracle: 0 % is the best two-split rule, 100 % the oracle."
    )
    return table


def _row(label: str, results: Mapping[str, Outcomes], mean: Mapping[str, float]) -> PolicyRow:
    own = results[label]
    satisfaction = mean_interval(own["reward"], own["episode"])
    gain = Interval(np.nan, np.nan, np.nan)
    if "best_fixed" in results and label != "best_fixed":
        gain = paired_difference(own["reward"], results["best_fixed"]["reward"], own["episode"])
    return PolicyRow(
        label,
        satisfaction.mean,
        satisfaction.low,
        satisfaction.high,
        _ratio(mean[label], mean.get("oracle", np.nan)),
        gain.mean,
        gain.low,
        gain.high,
        _way(mean[label], mean.get("two_split", np.nan), mean.get("oracle", np.nan)),
        *(float(np.mean(own[name])) for name in ("latency_s", "energy_j", "attempts", "failed", "split")),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole != 0 else float("nan")


def _way(own: float, first: float, last: float) -> float:
    return (own - first) / (last - first) if last > first else float("nan")


def _cell(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else "–"


def _interval(mean: float, low: float, high: float, form: str) -> str:
    return f"{form.format(mean)} ±{(high - low) / 2:.3f}" if np.isfinite(mean) else "–"
