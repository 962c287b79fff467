"""The tables of the report's page, and what it explains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.reports.html import PageTable, TableCell
from agents.reports.numbers import ALL, NumberRow, Numbers
from agents.reports.style import label_of
from agents.reports.tables import PolicyRow


def comparison(rows: Sequence[PolicyRow]) -> PageTable:
    """The policies of one scenario; see `agents.reports.tables.PolicyRow`."""
    headings = (
        "Policy",
        "Satisfaction",
        "Of oracle",
        "Over best fixed split",
        "Way to oracle",
        "Latency",
        "Energy",
        "Attempts",
        "Failed",
        "Split",
    )
    return PageTable(
        headings,
        [
            (
                TableCell(label_of(row.policy)),
                _measured(row.satisfaction, row.satisfaction_low, row.satisfaction_high, "{:.3f}"),
                _percent(row.relative_to_oracle, "{:.1f} %"),
                _measured(row.gain_over_fixed, row.gain_over_fixed_low, row.gain_over_fixed_high, "{:+.3f}"),
                TableCell("below 0") if row.way_to_oracle < 0 else _percent(row.way_to_oracle, "{:.0f} %"),
                TableCell(f"{row.latency_s:.1f} s"),
                TableCell(f"{row.energy_j:,.0f} J"),
                TableCell(f"{row.attempts:.2f}"),
                _percent(row.failed, "{:.1f} %"),
                TableCell(f"{row.split:.1f}"),
            )
            for row in rows
        ],
        "Way to oracle: 0 % is the best rule of two splits, 100 % the oracle. Latency and energy are means over "
        "requests, all attempts of both devices together. Split: mean denoising steps at the edge.",
    )


def aggregates(numbers: Numbers) -> PageTable:
    """Interquartile means: with limits for a single scenario, one column a scenario for several."""
    scenarios = list(dict.fromkeys(row["scenario"] for row in numbers.aggregates))
    found = {(row["policy"], row["scenario"]): row for row in numbers.aggregates}
    policies = dict.fromkeys(policy for policy, _ in found)
    leading = scenarios[-1]  # all of them together, where there are several
    ordered = sorted(policies, key=lambda policy: -found.get((policy, leading), {"iqm": -np.inf})["iqm"])
    if len(scenarios) > 1:
        titles = ["All scenarios" if name == ALL else name for name in scenarios]
        cells = [[_interquartile(found.get((policy, name))) for name in scenarios] for policy in ordered]
        rows = [(TableCell(label_of(policy)), *own) for policy, own in zip(ordered, cells, strict=True)]
        return PageTable(("Policy", *titles), rows, "± is half of a 95 % interval.")
    scored = "Runs" if numbers.of_runs else "Sessions"
    return PageTable(
        ("Policy", "Interquartile mean", "95 % interval", "Mean", scored),
        [
            (
                TableCell(label_of(policy)),
                TableCell(f"{row['iqm']:.3f}"),
                TableCell(f"{row['iqm_low']:.3f} to {row['iqm_high']:.3f}" if np.isfinite(row["iqm_low"]) else "–"),
                TableCell(f"{row['mean']:.3f}"),
                TableCell(f"{row['scores']:,}"),
            )
            for policy in ordered
            for row in [found[policy, leading]]
        ],
    )


def runs(numbers: Numbers) -> PageTable:
    """Every training run in every scenario."""
    several = len(numbers.scenarios) > 1
    return PageTable(
        ("Run", "Group", *(("Scenario",) if several else ()), "Seed", "Satisfaction", "Latency", "Attempts", "Failed"),
        [
            (
                TableCell(row["run"]),
                TableCell(label_of(row["group"])),
                *((TableCell(row["scenario"]),) if several else ()),
                TableCell(str(row["training_seed"])),
                _measured(row["satisfaction"], row["satisfaction_low"], row["satisfaction_high"], "{:.3f}"),
                TableCell(f"{row['latency_s']:.1f} s"),
                TableCell(f"{row['attempts']:.2f}"),
                _percent(row["failed"], "{:.1f} %"),
            )
            for row in numbers.runs
        ],
        "± is half of a 95 % interval, from resampling whole sessions.",
    )


def _interquartile(row: NumberRow | None) -> TableCell:
    return TableCell("–") if row is None else _measured(row["iqm"], row["iqm_low"], row["iqm_high"], "{:.3f}")


def _measured(value: float, low: float, high: float, form: str) -> TableCell:
    if not np.isfinite(value):
        return TableCell("–")
    return TableCell(form.format(value), f"±{(high - low) / 2:.3f}" if np.isfinite(low) else "")


def _percent(share: float, form: str) -> TableCell:
    return TableCell(form.format(100 * share) if np.isfinite(share) else "–")


OF_SESSIONS = {
    "comparison": "Mean outcomes on the same requests. Intervals are 95 %, from resampling whole sessions.",
    "iqm": "A score is the mean satisfaction of a session. The interquartile mean is that of the middle half of the "
    "scores: a few lucky or unlucky ones hardly move it (Agarwal et al., 2021). Intervals are 95 %, from a bootstrap "
    "of the sessions within each scenario.",
    "iqm_caption": "Bar: interquartile mean and its interval. Circle: mean.",
    "improvement": "The share of sessions in which the one policy does better than the other on the same requests; "
    "ties count half. improvement.csv has the intervals, and the chance over pairs of different sessions.",
    "profiles": "The share of sessions with more than a satisfaction τ. The higher a line, the better; the area below "
    "it is the mean.",
}

OF_RUNS = {
    "comparison": "Mean outcomes on the same requests; a group's are averaged over its training runs, request by "
    "request. Intervals are 95 %, from resampling whole sessions: they hold for these runs.",
    "iqm": "A score is the mean satisfaction of a training run. The interquartile mean is that of the middle half of a "
    "group's scores: a few lucky or unlucky runs hardly move it (Agarwal et al., 2021). Intervals are 95 %, from a "
    "bootstrap of the runs within each scenario: they speak of further training seeds, but of few runs they are "
    "too narrow. What was not trained here has one score, and no interval.",
    "iqm_caption": "Bar: interquartile mean and its interval over training runs. Circle: mean.",
    "improvement": "The chance that a training run of the one does better than one of the other, over all pairs of "
    "runs; ties count half. improvement.csv has the intervals.",
    "profiles": "The share of training runs with more than a satisfaction τ. The higher a line, the better; the area "
    "below it is the mean.",
}

CELLS = (
    "Mean satisfaction over the edge's available compute (PACR) and SNR. cells.csv has the intervals, the "
    "counts and the regret against the oracle."
)

STATES = {
    "satisfaction": "Satisfaction over SNR and over the edge's available compute.",
    "latency": "Seconds until an image is accepted or given up, all attempts together.",
    "split": "Denoising steps at the edge.",
    "decision_map": "Decisions: mean split of the policies that look at the state.",
}
"""Captions of the figures over the state."""
