"""One table of the measured quality profile: what a receiver makes of hand-overs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs import checks
from envs.units import FloatArray

METRICS = ("alignment", "psnr_db", "ssim", "mse")
PSNR_CAP_DB = 60.0
UNCODED = "float32"
"""The codec of latents that are sent as they are."""
NOISE_FREE = "noise-free"
"""Stands for a receiver in tables of the unsplit generator's images."""

Table = NDArray[np.float32]


class TableKey(NamedTuple):
    """Which table of a part."""

    receiver: str
    num_inference_steps: int
    codec: str = UNCODED

    @property
    def is_coded(self) -> bool:
        """Whether what it hands over is coded: no channel noise comes to it, it has a noise-free column alone."""
        return self.codec != UNCODED

    def __str__(self) -> str:
        return f"{self.receiver} with T = {self.num_inference_steps}" + f", codec {self.codec}" * self.is_coded


@dataclass(frozen=True, eq=False)
class QualityTable:
    """What one receiver makes of hand-overs, over metric x request x split x SNR x channel draw.

    The same unit noise is used at every SNR of one (request, draw), so that interpolation along the SNR axis follows
    one channel realisation.

    Attributes:
        splits: K increasing splits.
        snr_db: float64 [S], increasing, in dB.
        measured: float32 [M, R, K, S, D], metrics in the order of METRICS; NaN where nothing was measured, in all
            metrics alike, and at split 0, where nothing crosses the channel. No draws (D = 0) where a codec is used.
        noise_free: float32 [M, R, K], over a perfect link.
        fingerprint: what it was measured with: networks, sampler, channel.
        rows: int64 [R], which of the part's requests.

    Raises:
        ValueError: shapes that do not fit each other, or a noise-free value that is not finite.
    """

    splits: tuple[int, ...]
    snr_db: FloatArray
    measured: Table
    noise_free: Table
    fingerprint: Mapping[str, str]
    rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        shape = (len(METRICS), len(self.rows), len(self.splits))
        if self.measured.ndim != 5 or self.measured.shape[:4] != (*shape, len(self.snr_db)):
            raise ValueError(f"a table has shape {self.measured.shape}, expected {(*shape, len(self.snr_db), 'D')}")
        if self.noise_free.shape != shape:
            raise ValueError(f"noise-free values have shape {self.noise_free.shape}, expected {shape}")
        if not np.isfinite(self.noise_free).all() or np.isinf(self.measured).any():
            raise ValueError("a table holds values that are not finite")
        checks.points("snr_db", tuple(self.snr_db.tolist()))

    @property
    def draws(self) -> int:
        """D, measured channel draws."""
        return int(self.measured.shape[-1])

    @cached_property
    def values(self) -> Table:
        """The whole table [M, R, K, S, D]: linear in dB between measured SNRs, constant beyond them."""
        return _filled(self.measured, self.noise_free, self.snr_db)

    def at(self, snr_db: FloatArray) -> Table:
        """The table at other SNRs float64 [s], within its own or beyond: [M, R, K, s, D]."""
        if np.array_equal(snr_db, self.snr_db):
            return self.values
        inside = np.clip(snr_db, self.snr_db[0], self.snr_db[-1])
        low = np.clip(np.searchsorted(self.snr_db, inside, side="right") - 1, 0, len(self.snr_db) - 2)
        weight = (inside - self.snr_db[low]) / (self.snr_db[low + 1] - self.snr_db[low])
        below, above = self.values[..., low, :], self.values[..., low + 1, :]
        return (below + (above - below) * weight[:, None].astype(np.float32)).astype(np.float32)

    def limited(self, requests: int | None, draws: int | None) -> QualityTable:
        """The first requests and channel draws; None keeps all."""
        measured, noise_free = self.measured[:, :requests, ..., :draws], self.noise_free[:, :requests]
        return replace(self, measured=measured, noise_free=noise_free, rows=self.rows[:requests])

    def check_measured_with(self, given: Mapping[str, str]) -> None:
        """Refuse to stand for other networks, another sampler or another channel.

        Raises:
            ValueError: naming what the table was measured with and what is given.
        """
        for name, value in given.items():
            if self.fingerprint.get(name) != value:
                raise ValueError(f"measured with {name} {self.fingerprint.get(name)!r}, given is {value!r}")


def _filled(measured: Table, noise_free: Table, snr_db: FloatArray) -> Table:
    """A table without gaps: linear between the SNRs that were measured, noise-free where none was."""
    known, index = ~np.isnan(measured[0]), np.arange(len(snr_db))[:, None]
    below = np.maximum.accumulate(np.where(known, index, -1), axis=-2)
    above = np.minimum.accumulate(np.where(known, index, len(snr_db))[..., ::-1, :], axis=-2)[..., ::-1, :]
    low = np.where(below >= 0, below, np.minimum(above, len(snr_db) - 1))
    high = np.where(above < len(snr_db), above, low)
    weight = (snr_db[:, None] - snr_db[low]) / np.where(high > low, snr_db[high] - snr_db[low], 1.0)
    weight = np.where(high > low, weight, 0.0).astype(np.float32)
    filled = np.empty_like(measured)
    for metric, values in enumerate(measured):
        left, right = (np.take_along_axis(values, at, axis=-2) for at in (low, high))
        between = np.where(weight > 0.0, left + (right - left) * weight, left)
        filled[metric] = np.where(known.any(axis=-2, keepdims=True), between, noise_free[metric][..., None, None])
    return filled
