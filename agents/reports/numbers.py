"""The numbers of a report: what its CSV files hold and its figures draw, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from agents.evaluation.entries import (
    Entry,
    Outcomes,
    by_policy,
    crossed,
    of_several_runs,
    scenarios_of,
    scores,
    session_means,
)
from agents.evaluation.statistics import (
    CellMeans,
    Interval,
    PerformanceProfile,
    cell_means,
    flat,
    iqm_interval,
    mean_interval,
    paired_improvement,
    performance_profile,
    probability_of_improvement,
)
from agents.reports.tables import PolicyRow, summarise

ALL = "all"
"""Stands for all scenarios together."""

THRESHOLDS = np.linspace(0.0, 1.0, 101)
"""Of the performance profiles; satisfaction lies in [0, 1]."""

NumberRow = dict[str, Any]
"""By the name of the column; an interval becomes three in a file."""
Scores = Sequence[NDArray[np.float64]]


@dataclass(frozen=True)
class Numbers:
    """All numbers of a report.

    Attributes:
        entries: what they were computed from.
        of_runs: whether training runs were compared: a score is then the mean of a run, else that of a session.
        comparison: scenario -> the table of policies, best first.
        aggregates: of `aggregate_rows`.
        improvement: of `improvement_rows`.
        profiles: policy -> performance profile over all scenarios.
        maps: scenario -> policy -> satisfaction over SNR x PACR.
        runs: of `run_rows`.
    """

    entries: Sequence[Entry]
    of_runs: bool
    comparison: Mapping[str, list[PolicyRow]]
    aggregates: list[NumberRow]
    improvement: list[NumberRow]
    profiles: Mapping[str, PerformanceProfile]
    maps: Mapping[str, Mapping[str, CellMeans]]
    runs: list[NumberRow]

    @classmethod
    def from_trials(cls, entries: Sequence[Entry], bins: int) -> Numbers:
        """Those of every policy in every scenario, with this number of cells along SNR and compute."""
        results = {name: by_policy(entries, name) for name in scenarios_of(entries)}
        return cls(
            entries,
            of_several_runs(entries),
            {name: summarise(own) for name, own in results.items()},
            aggregate_rows(entries),
            improvement_rows(entries),
            {policy: performance_profile(own, THRESHOLDS) for policy, own in scores(entries).items()},
            {name: cell_maps(own, bins) for name, own in results.items()},
            run_rows(entries),
        )

    @property
    def scenarios(self) -> list[str]:
        """Their names."""
        return list(self.comparison)

    def as_rows(self) -> dict[str, list[NumberRow]]:
        """Name of a CSV file -> its rows; what does not apply is left out."""
        found = {
            "comparison": [{"scenario": name} | vars(row) for name, rows in self.comparison.items() for row in rows],
            "interquartile_means": self.aggregates,
            "improvement": self.improvement,
            "profiles": profile_rows(self.profiles),
            "cells": [row for name, maps in self.maps.items() for row in cell_rows(name, maps)],
            "runs": self.runs,
            "sessions": session_rows(self.entries),
        }
        return {name: [flat(row) for row in rows] for name, rows in found.items() if rows}


def aggregate_rows(entries: Sequence[Entry]) -> list[NumberRow]:
    """Interquartile mean and mean over the scores of each policy, in every scenario and over all of them."""
    names = scenarios_of(entries)
    parts = {name: [entry for entry in entries if entry.scenario == name] for name in names}
    if len(names) > 1:
        parts[ALL] = list(entries)
    return [
        {
            "scenario": scenario,
            "policy": policy,
            "scores": sum(len(each) for each in own),
            "iqm": iqm_interval(own),
            "mean": float(np.mean(np.concatenate(own))),
        }
        for scenario, chosen in parts.items()
        for policy, own in scores(chosen).items()
    ]


def improvement_rows(entries: Sequence[Entry]) -> list[NumberRow]:
    """How probable it is that the one policy does better than the other, over all scenarios, for every pair."""
    found, of_runs = scores(entries), of_several_runs(entries)
    chance = probability_of_improvement if of_runs else paired_improvement
    return [
        {
            "policy": policy,
            "baseline": baseline,
            "compared": "runs" if of_runs else "paired sessions",
            "probability": chance(found[policy], found[baseline]),
            "probability_unpaired": _unpaired(found[policy], found[baseline]),
        }
        for policy, baseline in permutations(found, 2)
    ]


def profile_rows(found: Mapping[str, PerformanceProfile]) -> list[NumberRow]:
    """The profiles point by point."""
    return [
        {"policy": policy, "threshold": t, "share": Interval(share, low, high)}
        for policy, each in found.items()
        for t, share, low, high in zip(each.threshold, each.share, each.low, each.high, strict=True)
    ]


def cell_maps(results: Mapping[str, Outcomes], bins: int) -> dict[str, CellMeans]:
    """Satisfaction of each policy of a scenario in cells of SNR (across) x PACR (up); the same cells for all."""
    states = next(iter(results.values()))
    across, up = (np.histogram_bin_edges(states[name], bins) for name in ("snr_db", "edge_availability"))
    return {
        label: cell_means(own["snr_db"], own["edge_availability"], own["reward"], crossed(own), across, up)
        for label, own in results.items()
    }


def cell_rows(scenario: str, maps: Mapping[str, CellMeans]) -> list[NumberRow]:
    """The maps cell by cell, the empty ones left out; regret is against `oracle_bound`."""
    best = maps.get("oracle_bound")
    return [
        {
            "scenario": scenario,
            "policy": policy,
            "snr_db_low": float(each.x_edges[j]),
            "snr_db_high": float(each.x_edges[j + 1]),
            "edge_availability_low": float(each.y_edges[i]),
            "edge_availability_high": float(each.y_edges[i + 1]),
            "requests": int(each.count[i, j]),
            "satisfaction": Interval(each.mean[i, j], each.low[i, j], each.high[i, j]),
            "regret": float("nan") if best is None else float(best.mean[i, j] - each.mean[i, j]),
        }
        for policy, each in maps.items()
        for i, j in zip(*np.nonzero(each.count), strict=True)
    ]


def run_rows(entries: Sequence[Entry]) -> list[NumberRow]:
    """Every training run in every scenario, with the interval over its sessions and requests."""
    return [
        {
            "scenario": entry.scenario,
            "group": entry.policy,
            "run": entry.run,
            "training_seed": entry.training_seed,
            "satisfaction": mean_interval(entry.outcomes["reward"], crossed(entry.outcomes)),
            **{name: float(np.mean(entry.outcomes[name])) for name in ("latency_s", "energy_j", "attempts", "failed")},
        }
        for entry in entries
        if entry.run
    ]


def session_rows(entries: Sequence[Entry]) -> list[NumberRow]:
    """Every session of every policy or run: what the statistics of scores are made of."""
    rows = []
    for entry in entries:
        first = np.unique(entry.outcomes["episode"], return_index=True)[1]
        seeds = entry.outcomes["seed"][first]
        means = session_means(entry.outcomes)
        rows += [
            {
                "scenario": entry.scenario,
                "policy": entry.policy,
                "run": entry.run,
                "seed": int(seed),
                "session": number,
                "satisfaction": float(mean),
            }
            for number, (seed, mean) in enumerate(zip(seeds, means, strict=True))
        ]
    return rows


def _unpaired(own: Scores, other: Scores) -> float:
    """The Mann-Whitney statistic over all pairs, a mean over scenarios; see `probability_of_improvement`."""
    return float(np.mean([mannwhitneyu(x, y).statistic / len(x) / len(y) for x, y in zip(own, other, strict=True)]))
