"""The quality of served requests, and which attempt is the first acceptable one.

A source of quality serves a batch of requests under chosen plans. `ProfileQuality` reads the measured profile;
a source that really generates the images has the same method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.plans import Plan
from envs.scenario import RequestState
from envs.transceiver.profile.acceptance import Acceptance
from envs.transceiver.profile.cells import plan_tables
from envs.transceiver.profile.profile import ProfilePart
from envs.transceiver.profile.table import METRICS
from envs.units import FloatArray


class Readings(dict[str, Any]):
    """Values by name that are read only when someone looks: most steps of a training never do.

    Args:
        names: the keys, in order.
        read: gives their values, in this order; called once at most.
    """

    def __init__(self, names: Sequence[str], read: Callable[[], Iterable[Any]]) -> None:
        super().__init__(dict.fromkeys(names))
        self._names = names
        self._read: Callable[[], Iterable[Any]] | None = read

    def each(self, function: Callable[[Any], Any]) -> Readings:
        """The same with a function of each value, which is called no sooner."""
        return Readings(self._names, lambda: map(function, self.values()))

    def __reduce__(self) -> tuple[type, tuple[list[tuple[str, Any]]]]:  # copies and pickles are plain dictionaries
        return dict, (list(self.items()),)

    def _fill(self) -> None:
        if self._read is not None:
            dict.update(self, zip(self._names, self._read(), strict=True))
            self._read = None


def _filled_before(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def look(self: Readings, *others: Any, **entries: Any) -> Any:
        for one in (self, *others):
            if isinstance(one, Readings):
                one._fill()
        return method(self, *others, **entries)

    look.__name__, look.__doc__ = name, method.__doc__
    return look


# Python's own dictionary reads its values without asking a subclass: each method that does has to fill it first.
for _name in (
    *("__delitem__", "__eq__", "__getitem__", "__ior__", "__iter__", "__ne__", "__or__", "__repr__", "__reversed__"),
    *("__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update"),
    "values",
):
    setattr(Readings, _name, _filled_before(_name))


FEW = 64
"""Below this number of states a binary search finds an SNR sooner than counting does."""
COUNTABLE = np.iinfo(np.int8).max
"""SNRs that are counted in bytes at the most."""


class Served(NamedTuple):
    """What N requests got.

    Attributes:
        attempts: int64 [N], attempts made, 1..K; 0 where the plan was impossible.
        accepted: bool [N], whether the last of them was acceptable.
        quality: metric -> float64 [N], of the last attempt, NaN where there was none; not to be written to.
        images: the delivered images, float [N, 3, H, W] in [0, 1], where they were really generated.
    """

    attempts: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    quality: Mapping[str, FloatArray]
    images: Any = None


class QualitySource(Protocol):
    """Serves requests: makes attempts in the order of `state.draws` until one is acceptable."""

    def serve(
        self, action: NDArray[np.integer], state: RequestState, possible: NDArray[np.bool_] | None = None
    ) -> Served:
        """Serve request n of the state by plan `action[n]`; no attempt is made where `possible`, bool [N], is false."""


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
    """Quality read from a part of the measured profile, linear in dB between its SNRs and constant beyond its ends.

    Each plan reads the cells of its receiver, T and split (`envs.transceiver.profile.cells`). Plans that the generator
    runs whole at one node have its noise-free quality at every SNR and draw. Where tables were measured on different
    requests, or with different numbers of channel draws, those that all of them have are used.

    Args:
        part: some of the measured requests.
        plans: P plans, the actions.
        receiver: name of the receiver in the profile of plans that go on with the fine-tuning network.
        acceptance: which images are acceptable.
        max_attempts: K.
        is_noisy: whether latents without a codec meet the channel's noise; else theirs is what a perfect link gives.

    Attributes:
        keys: the tables that are read.
        requests: those that may be asked for.

    Raises:
        ValueError: a plan whose quality was not measured, or more attempts than draws.
    """

    def __init__(
        self,
        part: ProfilePart,
        plans: Sequence[Plan],
        receiver: str,
        acceptance: Acceptance,
        max_attempts: int,
        is_noisy: bool = True,
    ) -> None:
        self.keys, tables = plan_tables(part, plans, receiver, max_attempts, is_noisy)
        self.requests = tuple(part.requests[row] for row in tables.rows)
        self._tables = dict(zip(METRICS, tables.values, strict=True))
        self._rows = tables.values.reshape(len(METRICS), -1).T.copy()  # [P R D S, M]
        self._metric, self._least, self._metrics = acceptance.metric, acceptance.least, METRICS
        self._snr_db, self._width_db = tables.snr_db, np.diff(tables.snr_db)
        self._inner_db = tables.snr_db[1:-1, None]
        self.max_attempts = max_attempts
        self.num_plans, self.num_requests, self.num_draws, self._num_snrs = tables.values.shape[1:]
        if not 1 <= max_attempts <= self.num_draws:
            raise ValueError(
                f"max_attempts must lie in 1..{self.num_draws}, the draws measured for "
                f"{', '.join(map(str, self.keys))}, got {max_attempts}"
            )
        self._weights = first_success_weights(self.num_draws, max_attempts)

    def serve(
        self, action: NDArray[np.integer], state: RequestState, possible: NDArray[np.bool_] | None = None
    ) -> Served:
        """Serve request n of the state by plan `action[n]`; see `QualitySource`."""
        low, weight = self._position(state.snr_db)
        cell = self._cell(action, state.request, low)
        last = cell + state.draws[0] * self._num_snrs
        values = self._interpolated(self._metric, last, weight)
        attempts = np.empty(len(cell), dtype=np.int64)
        attempts.fill(1)
        (waiting,) = (values < self._least).nonzero()
        for draw in state.draws[1:]:
            if not len(waiting):
                break
            index = cell.take(waiting) + draw.take(waiting) * self._num_snrs
            again = self._interpolated(self._metric, index, weight.take(waiting))
            last[waiting], values[waiting] = index, again
            attempts[waiting] += 1
            waiting = waiting[again < self._least]
        accepted = values >= self._least
        if possible is None:
            return Served(attempts, accepted, Readings(self._metrics, lambda: self._attempt(last, weight)))
        quality = Readings(self._metrics, lambda: np.where(possible, self._attempt(last, weight), np.nan))
        return Served(attempts * possible, accepted & possible, quality)

    def serve_all(self, state: RequestState, metrics: Sequence[str] = ()) -> Served:
        """Serve every request by every plan: arrays [N, P]; only the metrics asked for."""
        low, weight = self._position(state.snr_db)
        cell = self._cell(np.arange(self.num_plans), state.request[:, None], low[:, None])
        draws = state.draws * self._num_snrs
        values = self._interpolated(self._metric, cell + draws[:, :, None], weight[:, None])
        attempts, accepted = first_acceptable(values < self._least)
        last = cell + np.take_along_axis(draws.T, attempts - 1, axis=1)
        quality = {name: self._interpolated(name, last, weight[:, None]) for name in metrics}
        return Served(attempts, accepted, quality)

    def acceptance(
        self, snr_db: FloatArray, metrics: Sequence[str] = (), *, by_request: bool = False
    ) -> tuple[FloatArray, dict[str, FloatArray]]:
        """Chance over requests and draws that attempt j of a plan is the first acceptable one, and its mean quality.

        Args:
            snr_db: [N].
            metrics: whose means are wanted.
            by_request: for each request, over draws alone.

        Returns:
            (chances float64 [N, P, K], metric -> mean over these outcomes float64 [N, P, K], 0 where there are none),
            or [R, N, P, K] each; exact.
        """

        def mean(values: Sequence[FloatArray]) -> FloatArray:
            each = np.stack([np.moveaxis(value, -1, 0) if by_request else value.mean(axis=-1) for value in values], -1)
            return np.asarray(each)

        low, weight = self._position(snr_db)
        weight = weight[:, None, None, None]
        values = _between(self._by_snr(self._metric), low, weight)  # [N, D, P, R]
        accepted = values >= self._least
        successes = accepted.sum(axis=1, dtype=np.int16).astype(np.intp)
        first = [column.take(successes) for column in self._weights.T]  # [N, P, R] each
        chances = mean(first)
        means = {}
        for name in metrics:
            image = (_between(self._by_snr(name), low, weight) * accepted).sum(axis=1) / np.maximum(successes, 1)
            sums = mean([chance * image for chance in first])
            means[name] = np.divide(sums, chances, out=np.zeros_like(sums), where=chances > 0.0)
        return chances, means

    def _cell(self, action: NDArray[Any], request: NDArray[Any], low: NDArray[Any]) -> NDArray[Any]:
        """Index of draw 0 in a flat table; those of the others follow at distances of `_num_snrs`."""
        return (action * self.num_requests + request) * (self.num_draws * self._num_snrs) + low

    def _attempt(self, index: NDArray[Any], weight: FloatArray) -> FloatArray:
        """All metrics of attempts, float64 [M, N]."""
        below, above = (
            np.ascontiguousarray(self._rows.take(i, axis=0).T, dtype=np.float64) for i in (index, index + 1)
        )
        above -= below
        above *= weight
        above += below
        return above

    def _interpolated(self, metric: str, index: NDArray[Any], weight: FloatArray) -> FloatArray:
        """One metric of attempts, of the shape of the index."""
        return _between(self._tables[metric].reshape(-1), index, weight)

    def _by_snr(self, metric: str) -> NDArray[np.float32]:
        """A table as [S, D, P, R], contiguous: rows of it are read twice."""
        return np.ascontiguousarray(self._tables[metric].transpose(3, 2, 0, 1))

    def _position(self, snr_db: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        """Index of the measured SNR below, and the weight in [0, 1] of the one above."""
        if len(snr_db) < FEW or len(self._inner_db) > COUNTABLE:
            low = self._inner_db[:, 0].searchsorted(snr_db, side="right")
        else:  # counting is faster for many: the measured SNRs are few, and it has no branches to guess wrongly
            low = (snr_db >= self._inner_db).view(np.int8).sum(axis=0, dtype=np.int8).astype(np.intp)
        weight = (snr_db - self._snr_db.take(low)) / self._width_db.take(low)
        return low, np.minimum(np.maximum(weight, 0.0), 1.0)


def _between(table: NDArray[np.float32], index: NDArray[Any], weight: FloatArray) -> FloatArray:
    """`table[index]` and `table[index + 1]`, linearly between them."""
    below, above = (table.take(i, axis=0).astype(np.float64) for i in (index, index + 1))
    above -= below
    above *= weight
    above += below
    return above
