"""Bootstrap resamples as counts: how often each row is drawn. The same arguments give the same resamples."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 0
CHUNK = 100
_KEPT = 2**24
"""Largest number of counts that is kept for the next caller: drawing them is most of the work of a bootstrap."""


def weight_chunks(sizes: tuple[int, ...], resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Resamples of rows that lie in strata, each stratum resampled within itself.

    Args:
        sizes: rows of each stratum; the rows of the first come first.
        resamples: how many.
        seed: of the generator.

    Yields:
        Counts float64 [at most 100, sum of sizes]; those of each stratum add up to its size.
    """
    if sum(sizes) * resamples <= _KEPT:
        for chunk in _kept_chunks(sizes, resamples, seed):
            yield chunk.astype(np.float64)
    else:
        yield from _drawn(sizes, resamples, seed)


def tails(confidence: float) -> tuple[float, float]:
    """The two quantiles between which a percentile interval lies.

    Raises:
        ValueError: a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), got {confidence}")
    tail = (1 - confidence) / 2
    return tail, 1 - tail


def check_resamples(resamples: int) -> None:
    """Refuse a bootstrap of nothing.

    Raises:
        ValueError: fewer than one resample.
    """
    if resamples < 1:
        raise ValueError(f"resamples must be >= 1, got {resamples}")


@lru_cache(maxsize=8)
def _kept_chunks(sizes: tuple[int, ...], resamples: int, seed: int) -> tuple[NDArray[np.uint32], ...]:
    return tuple(chunk.astype(np.uint32) for chunk in _drawn(sizes, resamples, seed))


def _drawn(sizes: tuple[int, ...], resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        rows = min(CHUNK, resamples - start)
        drawn = [rng.multinomial(size, np.full(size, 1 / size), size=rows) for size in sizes]
        yield np.concatenate(drawn, axis=1).astype(np.float64)
