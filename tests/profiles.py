"""A made-up quality profile, and profiles read cell by cell, which the environment's tables are checked against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.transceiver.profile.profile import PSNR_CAP_DB, QualityProfile, Request

Index = int | NDArray[np.integer]


def synthetic_profile(
    num_requests: int = 8, num_inference_steps: int = 20, draws: int = 6, seed: int = 0
) -> QualityProfile:
    """A profile of plausible shape; its fingerprint says that nobody measured it."""
    rng = np.random.default_rng(seed)
    snr_db = np.array([-20.0, -10, -6, -3, 0, 3, 6, 9, 12, 15, 20])
    split = np.arange(num_inference_steps + 1)[None, :, None, None] / num_inference_steps
    luck = rng.normal(0, 2, (num_requests, 1, 1, draws))
    hardness = 14 * split**6 - 8 + luck + rng.normal(0, 1.5, (num_requests, 1, 1, 1))
    alignment = 1 / (1 + np.exp(-(snr_db[None, None, :, None] - hardness) / 1.5))
    alignment[:, 0] = rng.uniform(0.85, 1.0, (num_requests, 1, 1))
    psnr_db = np.clip(15 + 0.8 * snr_db[None, None, :, None] + 8 * split + 0 * luck, 5, 45)
    table = np.stack([alignment, psnr_db, np.clip(psnr_db / 45, 0, 1), 10 ** (-psnr_db / 10)])
    reference = np.stack([np.full(num_requests, v) for v in (0.99, PSNR_CAP_DB, 1.0, 0.0)])
    requests = tuple(Request(f"synthetic request {i}", i) for i in range(num_requests))
    few = table[..., : max(3, draws // 2)]
    tables = {
        "finetuned": table,
        "rematch": few,
        "ignore": few * np.array([0.7, 0.9, 0.9, 2.0])[:, None, None, None, None],
    }
    return QualityProfile(requests, snr_db, tables, reference, {"weights": "synthetic", "channel": "awgn"})


def interpolate(
    profile: QualityProfile,
    receiver: str,
    metric: str,
    request: Index,
    split: Index,
    snr_db: ArrayLike,
    draw: Index,
) -> NDArray[np.float64]:
    """The metric at an SNR between the measured ones, linear in dB, constant beyond the ends; indices broadcast."""
    low, weight = snr_position(profile, snr_db)
    table = profile.values(receiver, metric)
    below = table[request, split, low, draw].astype(np.float64)
    above = table[request, split, low + 1, draw].astype(np.float64)
    return below + weight * (above - below)


def snr_position(profile: QualityProfile, snr_db: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Index of the measured SNR below and the weight in [0, 1] of the one above."""
    clipped = np.clip(np.asarray(snr_db, dtype=np.float64), profile.snr_db[0], profile.snr_db[-1])
    low = np.clip(np.searchsorted(profile.snr_db, clipped, side="right") - 1, 0, len(profile.snr_db) - 2)
    return low, (clipped - profile.snr_db[low]) / (profile.snr_db[low + 1] - profile.snr_db[low])
