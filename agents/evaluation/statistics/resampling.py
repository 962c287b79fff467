"""Bootstrap resamples as counts: how often each row is drawn. The same bootstrap gives the same resamples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.units import FloatArray

CHUNK = 100
_KEPT = 2**24
"""Largest number of counts that is kept for the next caller: drawing them is most of the work of a bootstrap."""
_KEPT_WEIGHTS = 2**27
"""The same of the weights of rows, which take a byte each."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """Two labels of each of N rows, both drawn by chance: its episode, and the request of the profile that it served.

    Resampling one of them alone leaves out the luck of the other, which more rows of the same do not take away.

    Raises:
        ValueError: labels of different lengths.
    """

    episodes: NDArray[Any]
    requests: NDArray[Any]

    def __post_init__(self) -> None:
        for name in ("episodes", "requests"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        if self.episodes.ndim != 1 or self.episodes.shape != self.requests.shape:
            raise ValueError(
                f"episodes and requests must be [N] of one length, got {self.episodes.shape} and {self.requests.shape}"
            )


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: by the percentile bootstrap.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.

    Raises:
        ValueError: a confidence outside (0, 1); fewer than one resample.
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie in (0, 1), got {self.confidence}")
        if self.resamples < 1:
            raise ValueError(f"resamples must be >= 1, got {self.resamples}")

    def limits(self, sizes: tuple[int, ...], statistic: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """Confidence limits [2, ...] of a statistic.

        Args:
            sizes: see `counts`.
            statistic: of the counts [B, sum of sizes] of resamples, [B, ...]; NaN where a resample has none.
        """
        return self.limits_of(np.concatenate([statistic(counts) for counts in self.counts(sizes)]))

    def limits_of(self, drawn: FloatArray) -> FloatArray:
        """Confidence limits [2, ...] of a statistic of resamples [B, ...]; NaN where a resample has none."""
        tail = (1 - self.confidence) / 2
        return np.asarray(np.nanquantile(drawn, (tail, 1 - tail), axis=0))

    def counts(self, sizes: tuple[int, ...]) -> Iterator[FloatArray]:
        """Resamples of rows that lie in strata, each stratum resampled within itself.

        Args:
            sizes: rows of each stratum; the rows of the first come first.

        Yields:
            Counts float64 [at most 100, sum of sizes]; those of each stratum add up to its size.
        """
        if sum(sizes) * self.resamples <= _KEPT:
            for chunk in _kept_chunks(self, sizes):
                yield chunk.astype(np.float64)
        else:
            yield from _drawn(self, sizes)

    def weights(self, labels: Crossed) -> Iterator[NDArray[np.float32]]:
        """Resamples of episodes and, independently, of requests: a row counts as often as both of its own together.

        Mildly conservative: what a row has of its own counts up to three times. Callers with the same labels share the
        weights.

        Source: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1:2, 2007.

        Yields:
            Weights float32 [at most 100, N].
        """
        groups = [np.unique(each, return_inverse=True)[1].astype(np.int32) for each in vars(labels).values()]
        if len(groups[0]) * self.resamples <= _KEPT_WEIGHTS:
            for chunk in _kept_weights(self, *(each.tobytes() for each in groups)):
                yield chunk.astype(np.float32)
        else:
            yield from _weights(self, *groups)


DEFAULT = Bootstrap()


@lru_cache(maxsize=8)
def _kept_chunks(bootstrap: Bootstrap, sizes: tuple[int, ...]) -> tuple[NDArray[np.uint32], ...]:
    return tuple(chunk.astype(np.uint32) for chunk in _drawn(bootstrap, sizes))


@lru_cache(maxsize=2)
def _kept_weights(bootstrap: Bootstrap, *groups: bytes) -> tuple[NDArray[np.unsignedinteger], ...]:
    chunks = _weights(bootstrap, *(np.frombuffer(each, np.int32) for each in groups))
    return tuple(chunk.astype(np.min_scalar_type(int(chunk.max()))) for chunk in chunks)


def _weights(bootstrap: Bootstrap, *groups: NDArray[np.int32]) -> Iterator[NDArray[np.float32]]:
    sizes = tuple(int(each.max()) + 1 for each in groups)
    for counts in bootstrap.counts(sizes):
        of_episodes, of_requests = np.split(counts.astype(np.float32), [sizes[0]], axis=1)
        yield of_episodes.take(groups[0], axis=1) * of_requests.take(groups[1], axis=1)


def _drawn(bootstrap: Bootstrap, sizes: tuple[int, ...]) -> Iterator[FloatArray]:
    rng = np.random.default_rng(bootstrap.seed)
    for start in range(0, bootstrap.resamples, CHUNK):
        rows = min(CHUNK, bootstrap.resamples - start)
        drawn = [rng.multinomial(size, np.full(size, 1 / size), size=rows) for size in sizes]
        yield np.concatenate(drawn, axis=1).astype(np.float64)
