"""Receivers as figures and texts name them, and what the measured profile says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.claims import Claim, Near, order_claim, report, value_claim
from agents.experiments.shared.states import mean_over_states
from agents.experiments.shared.study import Study
from agents.reports.style import OKABE_ITO
from envs.transceiver import METRICS as METRIC_NAMES
from envs.transceiver import TEST, QualityTable, ReceiverStudy, TableKey
from envs.units import FloatArray

HARSH_DB, GOOD_DB = -6.0, 6.0
PROFILE_TOLERANCE = {"alignment": Near(0.0, 0.005), "psnr_db": Near(0.0, 0.1)}
"""Half precision of the table, and rounding that depends on the batch."""
FLOOR_DB = -0.1

STYLES: dict[str, dict[str, Any]] = {
    "ignore": {"color": OKABE_ITO[1], "linestyle": ":", "marker": "D", "label": "ignore"},
    "rematch": {"color": OKABE_ITO[2], "linestyle": "-.", "marker": "s", "label": "rematch, full weights"},
    "rematch_light": {"color": OKABE_ITO[5], "linestyle": "-.", "marker": "^", "label": "rematch, light weights"},
    "finetuned": {"color": OKABE_ITO[0], "linestyle": "-", "marker": "o", "label": "finetuned"},
    "finetuned_light": {"color": OKABE_ITO[3], "linestyle": "-", "marker": "v", "label": "finetuned, light weights"},
    "ancestral": {"color": OKABE_ITO[4], "linestyle": (0, (3, 1, 1, 1)), "marker": "+", "label": "right Proposition 1"},
    "printed": {"color": OKABE_ITO[6], "linestyle": "--", "marker": "x", "label": "printed Proposition 1"},
}


def style_of(receiver: str) -> dict[str, Any]:
    """How figures draw and name a receiver."""
    return STYLES.get(receiver, {"color": "0.5", "linestyle": "-", "marker": "", "label": receiver})


@dataclass(frozen=True)
class Band:
    """A range of SNRs, as indices into the measured ones."""

    name: str
    columns: NDArray[np.intp]


def bands_of(snr_db: Sequence[float]) -> list[Band]:
    """Harsh, middle and good links, those of them that were measured."""
    levels = np.asarray(snr_db)
    bands = [
        Band(f"up to {HARSH_DB:g} dB", np.flatnonzero(levels <= HARSH_DB)),
        Band(f"{HARSH_DB:g} to {GOOD_DB:g} dB", np.flatnonzero((levels > HARSH_DB) & (levels <= GOOD_DB))),
        Band(f"above {GOOD_DB:g} dB", np.flatnonzero(levels > GOOD_DB)),
    ]
    return [band for band in bands if len(band.columns)]


def text_of(gain: Interval) -> str:
    """A gain with its limits."""
    return f"{gain.mean:+.2f} ({gain.low:+.2f} to {gain.high:+.2f})"


def profile_claims(study: Study, measured: ReceiverStudy) -> list[Claim]:
    """What the profile holds of the same cells, and what its further requests and draws say."""
    part, count, steps = study.profile.part(TEST), len(measured.requests), study.num_inference_steps
    if part.requests[:count] != measured.requests:
        study.note("the profile holds other test requests: it is not compared with what was measured here")
        return []
    tables = {name: part.tables.get(TableKey(name, steps)) for name in measured.step_flops}
    held = {name: table for name, table in tables.items() if table is not None}
    gaps = [gap for name, table in held.items() if (gap := _profile_gap(measured, name, table)) is not None]
    claims = []
    if gaps:
        worst = {metric: max(gap[metric] for gap in gaps) for metric in PROFILE_TOLERANCE}
        claims.append(
            value_claim(
                "project",
                "the profile holds what the live transceiver delivers",
                f"{', '.join(held)} on {count} test requests, where both were measured: mean difference "
                f"{worst['alignment']:.4f} in alignment, {worst['psnr_db']:.3f} dB in PSNR",
                [(near, worst[metric]) for metric, near in PROFILE_TOLERANCE.items()],
                "what was measured there is not what is delivered here",
            )
        )
    if "ignore" in held:
        claims += [_profile_gain(held[name], held["ignore"], name) for name in held if name != "ignore"]
    if {"rematch", "ignore"} <= set(held):
        claims.append(_profile_floor(held["rematch"], held["ignore"]))
    return claims


def _profile_gap(measured: ReceiverStudy, name: str, table: QualityTable) -> dict[str, float] | None:
    """Mean differences by metric in the cells that the profile measured too; None where there are none."""
    count = min(len(measured.requests), len(table.rows))
    levels = table.snr_db.tolist()
    common = [level for level in measured.snr_db if level in levels]
    here, there = ([all_.index(level) for level in common] for all_ in (measured.snr_db, levels))
    splits = list(table.splits)
    gaps = {}
    for metric in PROFILE_TOLERANCE:
        held = table.measured[METRIC_NAMES.index(metric)][:count][:, :, there, 0]
        gap = np.abs(measured.values(name, metric)[:count][:, splits][:, :, here] - held)
        if np.isnan(gap).all():
            return None
        gaps[metric] = float(np.nanmean(gap))
    return gaps


def _paired_psnr(one: QualityTable, other: QualityTable) -> tuple[FloatArray, NDArray[np.float64]]:
    """What the one receiver's PSNR has more than the other's where all of it was measured of both.

    Returns:
        (SNRs float64 [S] in dB; gains [R, splits 1..T - 1, S, draws] on the requests and draws of both).
    """
    rows, draws = np.intersect1d(one.rows, other.rows), min(one.draws, other.draws)
    levels = np.intersect1d(one.snr_db, other.snr_db)
    kept = [
        each.measured[METRIC_NAMES.index("psnr_db")][np.searchsorted(each.rows, rows), 1:-1][
            :, :, np.searchsorted(each.snr_db, levels), :draws
        ].astype(np.float64)
        for each in (one, other)
    ]
    gains = kept[0] - kept[1]
    whole = ~np.isnan(gains).any(axis=(0, 1, 3))
    return levels[whole], gains[:, :, whole]


def _profile_floor(rematch: QualityTable, ignore: QualityTable) -> Claim:
    """Whether re-matching ever costs PSNR: over the profile, which has more requests and draws than are run here."""
    levels, gains = _paired_psnr(rematch, ignore)
    gain = gains.mean(axis=(0, -1))
    split, column = np.unravel_index(gain.argmin(), gain.shape)
    each = column_intervals(gains.mean(axis=-1).reshape(len(gains), -1))
    return order_claim(
        "project",
        f"rematch is nowhere {-FLOOR_DB} dB or more below ignore",
        f"lowest {gain.min():+.2f} dB at split {split + 1}, {levels[column]:g} dB; mean {gain.mean():+.2f} dB, "
        f"highest {gain.max():+.2f} dB; {len(gains)} test requests x {gains.shape[-1]} draws of the profile at "
        f"{len(levels)} SNRs",
        each,
        f"{int((gain < FLOOR_DB).sum())} of {gain.size} cells are lower, {sum(one.high < FLOOR_DB for one in each)} of "
        "them clearly",
        above=FLOOR_DB,
    )


def _profile_gain(table: QualityTable, ignore: QualityTable, name: str) -> Claim:
    levels, gains = _paired_psnr(table, ignore)
    texts = [
        f"{band.name} {text_of(mean_over_states(gains[:, :, band.columns].mean(axis=(1, 2, 3))))} dB"
        for band in bands_of(levels.tolist())
    ]
    return report(
        f"PSNR of {style_of(name)['label']} against ignore on the profile's {len(gains)} test requests",
        "; ".join(texts),
    )
