"""What a report is made of: every policy, or training run, in every scenario on the same requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.statistics import Crossed

Outcomes = Mapping[str, NDArray[Any]]
"""One policy's requests: arrays [N] by name."""

COLUMNS = (
    "reward",
    "episode",
    "request",
    "snr_db",
    "edge_availability",
    "latency_s",
    "energy_j",
    "attempts",
    "failed",
    "split",
)
"""Outcomes that a report uses; see `agents.evaluate` for their units."""


@dataclass(frozen=True)
class Entry:
    """One policy in one scenario.

    Attributes:
        scenario: its name.
        policy: label in the report; the training runs of one group share it.
        outcomes: arrays [N] by name, `COLUMNS` and `seed` (of the requests); an episode's label is its own.
        run: folder of the training run; empty for a policy that stands for itself.
        training_seed: of the run.
    """

    scenario: str
    policy: str
    outcomes: Outcomes
    run: str = ""
    training_seed: int | None = None


def joined(parts: Sequence[tuple[int, Outcomes]]) -> Outcomes:
    """The outcomes of several seeds of requests, one after the other.

    Args:
        parts: (seed, outcomes) of each.
    """
    columns = {name: np.concatenate([np.asarray(outcomes[name]) for _, outcomes in parts]) for name in COLUMNS}
    offsets = np.cumsum([0, *(int(outcomes["episode"].max()) + 1 for _, outcomes in parts[:-1])])
    columns["episode"] = np.concatenate(
        [outcomes["episode"] + offset for (_, outcomes), offset in zip(parts, offsets, strict=True)]
    )
    columns["seed"] = np.concatenate([np.full(len(outcomes["reward"]), seed) for seed, outcomes in parts])
    return columns


def by_policy(entries: Iterable[Entry], scenario: str) -> dict[str, Outcomes]:
    """Label -> outcomes in a scenario; those of several training runs averaged request by request.

    The runs of a group serve the same requests, so that the average keeps the rows: what compares policies row by
    row compares groups of runs too. Its intervals are those of these runs; other seeds are not in them (`scores`).
    """
    runs: dict[str, list[Outcomes]] = {}
    for entry in entries:
        if entry.scenario == scenario:
            runs.setdefault(entry.policy, []).append(entry.outcomes)
    return {policy: _averaged(each) for policy, each in runs.items()}


def _averaged(runs: Sequence[Outcomes]) -> Outcomes:
    if len(runs) == 1:
        return runs[0]
    same = ("episode", "request", "seed", "snr_db", "edge_availability")
    return {name: runs[0][name] if name in same else np.mean([run[name] for run in runs], axis=0) for name in runs[0]}


def crossed(outcomes: Outcomes) -> Crossed:
    """Labels of the rows, which are of some sessions and of some requests: both are what intervals resample."""
    return Crossed(outcomes["episode"], outcomes["request"])


def scenarios_of(entries: Iterable[Entry]) -> list[str]:
    """Names, in the order of the entries."""
    return list(dict.fromkeys(entry.scenario for entry in entries))


def of_several_runs(entries: Iterable[Entry]) -> bool:
    """Whether the entries are those of training runs: the runs are then what is resampled, and not sessions."""
    return any(entry.run for entry in entries)


def scores(entries: Sequence[Entry]) -> dict[str, list[NDArray[np.float64]]]:
    """Policy -> scores [R] in each scenario, for the policies that are in all of them.

    A score is the mean satisfaction of a session, or of a training run where the entries are those of runs. Statistics
    of scores resample these alone: the luck of the profile's requests, which all scores share, is not in their limits.
    """
    names, of_runs = scenarios_of(entries), of_several_runs(entries)
    found: dict[str, dict[str, list[NDArray[np.float64]]]] = {}
    for entry in entries:
        own = found.setdefault(entry.policy, {}).setdefault(entry.scenario, [])
        rewards = session_means(entry.outcomes)
        own.append(np.array([np.mean(entry.outcomes["reward"])]) if of_runs else rewards)
    return {
        policy: [np.concatenate(own[name]) for name in names]
        for policy, own in found.items()
        if all(name in own for name in names)
    }


def session_means(outcomes: Outcomes, measure: str = "reward") -> NDArray[np.float64]:
    """Mean of a measure over each session, float64 [E], in the order of their labels."""
    sessions = np.unique(outcomes["episode"], return_inverse=True)[1]
    return np.bincount(sessions, weights=outcomes[measure]) / np.bincount(sessions)
