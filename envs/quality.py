"""The quality of served requests, and which attempt is the first acceptable one.

A source of quality serves a batch of requests under chosen plans. `ProfileQuality` reads the measured profile;
a source that really generates the images has the same method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.plans import Plan
from envs.scenario import RequestState
from envs.transceiver.cell import Cell, measured_cell
from envs.transceiver.profile import QualityProfile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Served:
    """What N requests got.

    Attributes:
        attempts: int64 [N], attempts made, 1..K.
        accepted: bool [N], whether the last of them was acceptable.
        quality: metric -> float64 [N], of the last attempt.
        images: the delivered images, float [N, 3, H, W] in [0, 1], where they were really generated.
    """

    attempts: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    quality: dict[str, FloatArray]
    images: Any = None


class QualitySource(Protocol):
    """Serves requests: makes attempts in the order of `state.draws` until one is acceptable."""

    def serve(self, action: NDArray[np.integer], state: RequestState) -> Served:
        """Serve request n of the state by plan `action[n]`."""


def first_acceptable(rejected: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count attempts up to the first that is not rejected.

    Args:
        rejected: bool [K, ...], whether each attempt would be rejected.

    Returns:
        (attempts int64 [...] in 1..K, accepted bool [...]); without an acceptable attempt all K are made.
    """
    still = rejected[0]
    attempts = np.ones(still.shape, dtype=np.int64)
    for later in rejected[1:]:
        attempts += still
        still = still & later
    return attempts, ~still


def first_success_weights(num_draws: int, max_attempts: int) -> FloatArray:
    """Chance that attempt j is the first success when c of D draws succeed, taken in random order, none twice.

    `C(D - j, c - 1) / C(D, c)`: the other c - 1 successes lie among the D - j draws that come later.
    Source: own derivation (negative hypergeometric distribution).

    Args:
        num_draws: D.
        max_attempts: K <= D.

    Returns:
        float64 [D + 1, K], rows c = 0..D, columns j = 1..K. A row sums to the chance of any success within K.
    """
    return np.array(
        [
            [
                math.comb(num_draws - j, c - 1) / math.comb(num_draws, c) if c else 0.0
                for j in range(1, max_attempts + 1)
            ]
            for c in range(num_draws + 1)
        ]
    )


class ProfileQuality:
    """Quality read from the measured profile, linear in dB between its SNRs and constant beyond its ends.

    Each plan reads the cells of its receiver and split (`envs.transceiver.cell`). Plans that the generator runs whole
    at one node have its noise-free quality at every SNR and draw. Where receivers were measured with different numbers
    of channel draws, the first of each that all of them have are used.

    Args:
        profile: the measured profile.
        plans: P plans, the actions.
        receiver: name of the receiver in the profile of plans that go on with the fine-tuning network.
        metric: metric that decides on acceptance.
        quality_min: values of it from here on are acceptable.
        max_attempts: K.

    Raises:
        ValueError: a receiver or metric that the profile lacks, plans of another number of steps or whose quality
            nobody has measured, `quality_min` not finite, or more attempts than draws.
    """

    def __init__(
        self,
        profile: QualityProfile,
        plans: Sequence[Plan],
        receiver: str,
        metric: str,
        quality_min: float,
        max_attempts: int,
    ) -> None:
        if metric not in profile.metrics:
            raise ValueError(f"unknown quality_metric {metric!r}; allowed: {', '.join(profile.metrics)}")
        if not math.isfinite(quality_min):
            raise ValueError(f"quality_min must be finite, got {quality_min}")
        for plan in plans:
            if plan.num_inference_steps != profile.num_inference_steps:
                raise ValueError(
                    f"plan {plan.name} takes {plan.num_inference_steps} steps; the profile was measured with "
                    f"{profile.num_inference_steps}"
                )
        cells = [measured_cell(plan, receiver) for plan in plans]
        read = sorted({receiver, *(cell.receiver for cell in cells)})
        draws = min(profile.draws(name) for name in read)
        tables = [_by_plan(profile, cells, name, draws) for name in profile.metrics]
        table = tables[profile.metrics.index(metric)]
        self._flat = table.reshape(-1)
        self._by_snr = np.ascontiguousarray(table.transpose(2, 3, 0, 1))
        self._rows = np.stack([values.reshape(-1) for values in tables], axis=-1)  # [P R S D, M]
        self._metrics = profile.metrics
        self._snr_db, self._width_db = profile.snr_db, np.diff(profile.snr_db)
        self._inner_db = profile.snr_db[1:-1]
        self.quality_min, self.max_attempts = quality_min, max_attempts
        self.num_plans, self.num_requests, self._num_snrs, self.num_draws = table.shape
        if not 1 <= max_attempts <= self.num_draws:
            raise ValueError(
                f"max_attempts must lie in 1..{self.num_draws}, the draws measured for receiver "
                f"{' and '.join(map(repr, read))}, got {max_attempts}"
            )
        self._weights = first_success_weights(self.num_draws, max_attempts)

    def serve(self, action: NDArray[np.integer], state: RequestState) -> Served:
        """Serve request n of the state by plan `action[n]`; see `QualitySource`."""
        low, weight = self._position(state.snr_db)
        cell = self._cell(action, state.request, low)
        values = _between(self._flat, cell + state.draws, self.num_draws, weight)
        attempts, accepted = first_acceptable(values < self.quality_min)
        last = cell + state.draws[attempts - 1, np.arange(len(cell))]
        quality = _between(self._rows, last, self.num_draws, weight[:, None])
        return Served(attempts, accepted, dict(zip(self._metrics, quality.T.copy(), strict=True)))

    def attempts_of_all(self, state: RequestState) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Count the attempts that every plan would make: (attempts int64 [N, P], accepted bool [N, P])."""
        low, weight = self._position(state.snr_db)
        cell = self._cell(np.arange(self.num_plans), state.request[:, None], low[:, None])
        values = _between(self._flat, cell + state.draws[:, :, None], self.num_draws, weight[:, None])
        return first_acceptable(values < self.quality_min)

    def acceptance_chances(self, snr_db: FloatArray) -> FloatArray:
        """Chance over requests and draws that attempt j of a plan is the first acceptable one.

        Args:
            snr_db: [N].

        Returns:
            float64 [N, P, K], exact.
        """
        low, weight = self._position(snr_db)
        values = _between(self._by_snr, low, 1, weight[:, None, None, None])  # [N, D, P, R]
        successes = (values >= self.quality_min).sum(axis=1, dtype=np.int16).astype(np.intp)
        return np.stack([column.take(successes).mean(axis=-1) for column in self._weights.T], axis=-1)

    def _cell(self, action: NDArray[Any], request: NDArray[Any], low: NDArray[Any]) -> NDArray[Any]:
        """Index of draw 0 in the flat table."""
        return ((action * self.num_requests + request) * self._num_snrs + low) * self.num_draws

    def _position(self, snr_db: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        """Index of the measured SNR below, and the weight in [0, 1] of the one above."""
        low = self._inner_db.searchsorted(snr_db, side="right")
        weight = (snr_db - self._snr_db.take(low)) / self._width_db.take(low)
        return low, np.minimum(np.maximum(weight, 0.0), 1.0)


def _between(table: FloatArray, index: NDArray[Any], stride: int, weight: FloatArray) -> FloatArray:
    """`table[index]` and `table[index + stride]`, linearly between them."""
    below, above = table.take(index, axis=0), table.take(index + stride, axis=0)
    above -= below
    above *= weight
    above += below
    return above


def _by_plan(profile: QualityProfile, cells: Sequence[Cell], metric: str, draws: int) -> FloatArray:
    """Arrange the profile by plan, float64 [P, R, S, D]; draws lie together: an attempt reads one cache line."""
    values = {cell.receiver: profile.values(cell.receiver, metric)[..., :draws].astype(np.float64) for cell in cells}
    shape = (len(profile.requests), len(profile.snr_db), draws)
    whole = np.broadcast_to(profile.reference(metric)[:, None, None], shape)
    return np.stack([whole if cell.split is None else values[cell.receiver][:, cell.split] for cell in cells])
