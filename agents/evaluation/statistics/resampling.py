"""Bootstrap resamples as counts: how often each row is drawn. The same bootstrap gives the same resamples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from envs.units import FloatArray

CHUNK = 100
_KEPT = 2**24
"""Largest number of counts that is kept for the next caller: drawing them is most of the work of a bootstrap."""


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
        tail = (1 - self.confidence) / 2
        drawn = np.concatenate([statistic(counts) for counts in self.counts(sizes)])
        return np.nanquantile(drawn, (tail, 1 - tail), axis=0)

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


DEFAULT = Bootstrap()


@lru_cache(maxsize=8)
def _kept_chunks(bootstrap: Bootstrap, sizes: tuple[int, ...]) -> tuple[NDArray[np.uint32], ...]:
    return tuple(chunk.astype(np.uint32) for chunk in _drawn(bootstrap, sizes))


def _drawn(bootstrap: Bootstrap, sizes: tuple[int, ...]) -> Iterator[FloatArray]:
    rng = np.random.default_rng(bootstrap.seed)
    for start in range(0, bootstrap.resamples, CHUNK):
        rows = min(CHUNK, bootstrap.resamples - start)
        drawn = [rng.multinomial(size, np.full(size, 1 / size), size=rows) for size in sizes]
        yield np.concatenate(drawn, axis=1).astype(np.float64)
