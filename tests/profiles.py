"""A made-up quality profile, and profiles read cell by cell, which the environment's tables are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.transceiver.profile.profile import PARTS, PROMPT, TRAIN, ProfilePart, QualityProfile, Request
from envs.transceiver.profile.table import METRICS, NOISE_FREE, PSNR_CAP_DB, QualityTable, Table, TableKey

Index = int | NDArray[np.integer]
FINGERPRINT = {"weights": "synthetic", "channel": "awgn"}
ALIGNMENT = "env.acceptance=alignment"
"""A rule of acceptance that ROOT is shipped for."""


def part_with(
    name: str,
    requests: tuple[Request, ...],
    snr_db: ArrayLike,
    tables: Mapping[str, NDArray[np.floating]],
    reference: ArrayLike,
    fingerprint: Mapping[str, str] = FINGERPRINT,
) -> ProfilePart:
    """A part of one T whose tables [M, R, T + 1, S, D] were measured everywhere."""
    levels, whole = np.asarray(snr_db, dtype=np.float64), np.asarray(reference, dtype=np.float32)
    held = {}
    for receiver, values in tables.items():
        measured: Table = np.array(values, dtype=np.float32)
        noise_free = measured[..., -1, 0].copy()
        measured[:, :, 0] = np.nan
        steps = measured.shape[2] - 1
        splits, rows = tuple(range(steps + 1)), np.arange(len(requests))
        held[TableKey(receiver, steps)] = QualityTable(splits, levels, measured, noise_free, fingerprint, rows)
    return ProfilePart(name, requests, {key.num_inference_steps: whole for key in held}, held)


def profile_with(*parts: ProfilePart, fingerprint: Mapping[str, str] = FINGERPRINT) -> QualityProfile:
    """A profile of some parts, or of one that is both."""
    given = parts if len(parts) > 1 else [part_named(name, parts[0]) for name in PARTS]
    steps = max(parts[0].references)
    return QualityProfile({(PROMPT, part.name): part for part in given}, steps, fingerprint)


def part_named(name: str, part: ProfilePart) -> ProfilePart:
    """The same part under another name."""
    return ProfilePart(name, part.requests, part.references, part.tables)


def synthetic_profile(
    num_requests: int = 8, num_inference_steps: int = 20, draws: int = 6, seed: int = 0
) -> QualityProfile:
    """A profile of plausible shape; its fingerprint says that nobody measured it."""
    return profile_with(
        *(synthetic_part(name, num_requests, num_inference_steps, draws, seed + i) for i, name in enumerate(PARTS))
    )


def synthetic_part(name: str, num_requests: int, num_inference_steps: int, draws: int, seed: int) -> ProfilePart:
    """A part of a made-up profile."""
    rng = np.random.default_rng(seed)
    snr_db = np.array([-20.0, -10, -6, -3, 0, 3, 6, 9, 12, 15, 20])
    split = np.arange(num_inference_steps + 1)[None, :, None, None] / num_inference_steps
    luck = rng.normal(0, 2, (num_requests, 1, 1, draws))
    hardness = 14 * split**6 - 8 + luck + rng.normal(0, 1.5, (num_requests, 1, 1, 1))
    alignment = 1 / (1 + np.exp(-(snr_db[None, None, :, None] - hardness) / 1.5))
    alignment[:, 0] = rng.uniform(0.85, 1.0, (num_requests, 1, 1))
    psnr_db = np.clip(15 + 0.8 * snr_db[None, None, :, None] + 8 * split + 0 * luck, 5, 45)
    psnr_db[:, 0] = psnr_db[:, :1, -1:, 0]
    ssim = alignment - 0.1  # either rule accepts the same images
    table = np.stack([alignment, psnr_db, ssim, 10 ** (-psnr_db / 10)])
    reference = np.stack([np.full(num_requests, v) for v in (0.99, PSNR_CAP_DB, 1.0, 0.0)])
    requests = tuple(Request(f"synthetic {name} request {i}", i) for i in range(num_requests))
    few = table[..., : max(3, draws // 2)]
    tables = {
        "finetuned": table,
        "rematch": few,
        "ignore": few * np.array([0.7, 0.9, 0.7, 2.0])[:, None, None, None, None],
    }
    return part_with(name, requests, snr_db, tables, reference)


def coded_part(part: ProfilePart, kept: Mapping[str, float]) -> ProfilePart:
    """A part with coded latents of `finetuned`, of which the first ones so large a share of its requests is kept.

    What is kept is as good as sent without a codec; the rest is bad. Its noise-free images as WebP are all good.
    """
    tables = dict(part.tables)
    for key, table in part.tables.items():
        if key.receiver == "finetuned" and not key.is_coded:
            empty = replace(table, measured=table.measured[..., :0])
            for codec, share in kept.items():
                bad = np.arange(len(table.rows)) >= round(share * len(table.rows))
                values = np.where(bad[:, None], np.float32(0.1), table.noise_free)
                tables[TableKey(key.receiver, key.num_inference_steps, codec)] = replace(empty, noise_free=values)
            steps = key.num_inference_steps
            images = replace(
                empty,
                splits=(steps,),
                measured=empty.measured[:, :, -1:],
                noise_free=np.full_like(table.noise_free[..., -1:], 0.95),
            )
            tables[TableKey(NOISE_FREE, steps, "webp75")] = images
    return replace(part, tables=tables)


def honest_profile(
    num_requests: int = 8, steps: tuple[int, ...] = (20, 8), draws: int = 3, light: float = 0.95
) -> QualityProfile:
    """A made-up profile with the opponents of splitting, of several T: WebP, coded latents, and the light network.

    Args:
        num_requests: of each part.
        steps: the T; the first is that of plans that do not say theirs.
        draws: of the channel.
        light: every metric of what the light network makes alone.
    """
    parts = []
    for name in PARTS:
        tables, references = {}, {}
        for index, total in enumerate(steps):
            part = synthetic_part(name, num_requests, total, draws, seed=index + 100 * PARTS.index(name))
            part = replace(part, tables={key: t for key, t in part.tables.items() if key.receiver == "finetuned"})
            part = coded_part(part, {"u4": 1.0})
            tables |= part.tables
            references |= part.references
            table = part.table(TableKey("finetuned", total))
            alone = {"measured": table.measured[:, :, :1], "noise_free": np.full_like(table.noise_free[..., :1], light)}
            tables[TableKey("finetuned_light", total)] = replace(table, splits=(0,), **alone)
        parts.append(replace(part, tables=tables, references=references))
    return QualityProfile({(PROMPT, part.name): part for part in parts}, steps[0], FINGERPRINT)


def table_of(profile: QualityProfile, receiver: str, part: str = TRAIN) -> QualityTable:
    """The table of a receiver with the profile's own T."""
    return profile.part(part).table(TableKey(receiver, profile.num_inference_steps))


def values_of(profile: QualityProfile, receiver: str, metric: str, part: str = TRAIN) -> NDArray[np.float32]:
    """One metric of it, [R, T + 1, S, D]."""
    return table_of(profile, receiver, part).values[METRICS.index(metric)]


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
    low, weight = snr_position(profile, snr_db, receiver)
    table = values_of(profile, receiver, metric)
    below = table[request, split, low, draw].astype(np.float64)
    above = table[request, split, low + 1, draw].astype(np.float64)
    return below + weight * (above - below)


def snr_position(
    profile: QualityProfile, snr_db: ArrayLike, receiver: str = "finetuned"
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Index of the measured SNR below and the weight in [0, 1] of the one above."""
    levels = table_of(profile, receiver).snr_db
    clipped = np.clip(np.asarray(snr_db, dtype=np.float64), levels[0], levels[-1])
    low = np.clip(np.searchsorted(levels, clipped, side="right") - 1, 0, len(levels) - 2)
    return low, (clipped - levels[low]) / (levels[low + 1] - levels[low])
