"""Which receiver should a person use, where? All of them on the same requests and channel noise, at every split.

Intervals are over requests, each with its one channel draw, or the mean over the profile's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.claims import Claim, Near, order_claim, report, value_claim
from agents.experiments.shared.findings import Findings
from agents.experiments.shared.measured_receivers import Band, bands_of, profile_claims, style_of, text_of
from agents.experiments.shared.states import mean_over_states
from agents.experiments.shared.study import Study
from agents.reports.drawing import SNR_LABEL, draw_intervals, edges_around, subplots
from agents.reports.style import house_style
from envs.checks import Count, Points
from envs.transceiver import ReceiverStudy, study_receivers

METRICS = {"psnr_db": "PSNR (dB)", "ssim": "SSIM", "alignment": "Alignment"}
FRECHET = "Frechet distance"
ALIGNMENT_CLOSE = 0.02
SAME_DB = Near(0.0, 0.5)
"""PSNR of the printed reverse step less that of the right one."""
GOOD_DB, LOW_DB = 15.0, 0.0


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        receivers: compared.
        snr_db: measured.
        num_requests: the first test requests of a profile.
        shown_splits: in the figure; the numbers hold all splits.
        workers: processes.
    """

    receivers: list[str]
    snr_db: Points
    num_requests: Count
    shown_splits: list[int]
    workers: Count


def run(study: Study, options: Options) -> Findings:
    """Measure with the live transceiver (in parts, resumable), compare, and say which to use."""
    steps = study.num_inference_steps
    if bad := [split for split in options.shown_splits if not 0 <= split <= steps]:
        raise ValueError(f"experiment.shown_splits must lie in 0..{steps}, got {bad}")
    measured = study_receivers(
        options.receivers,
        options.num_requests,
        options.snr_db,
        study.folder / "parts",
        model=study.transceiver.path,
        num_inference_steps=steps,
        guidance_scale=study.transceiver.guidance_scale,
        workers=options.workers,
    )
    rows = _rows(measured, steps)
    notes = [
        f"{len(measured.requests)} requests, the same channel noise for every receiver. The Frechet distance is to the "
        "noise-free images of the same requests: 0 for equal images, and no number to compare with other works.",
        "At split 0 nothing crosses the channel, and at the last split no receiver takes a step: the comparison is "
        f"over splits 1..{steps - 1}.",
    ]
    return Findings(
        "Receivers: ignore, rematch and finetuned (full and light weights), Proposition 1 as printed and right",
        {"": _draw(measured, options), "best": _draw_best(measured, rows, steps)},
        {"": rows, "where": _where(measured, rows)},
        [*_claims(measured, rows), *profile_claims(study, measured)],
        [*study.notes, *notes],
    )


def _rows(measured: ReceiverStudy, steps: int) -> list[dict[str, Any]]:
    """Mean quality of every receiver in every cell, with intervals over requests."""
    rows = []
    for receiver in measured.step_flops:
        frechet = measured.frechet_distances(receiver, range(steps + 1)).reshape(-1)
        intervals = {
            metric: column_intervals(measured.values(receiver, metric).reshape(len(measured.requests), -1))
            for metric in METRICS
        }
        cells = [(split, snr_db) for split in range(steps + 1) for snr_db in measured.snr_db]
        for index, (split, snr_db) in enumerate(cells):
            row: dict[str, Any] = {"receiver": receiver, "split": split, "snr_db": snr_db}
            for metric, each in intervals.items():
                mean = each[index]
                row |= {metric: mean.mean, f"{metric}_low": mean.low, f"{metric}_high": mean.high}
            rows.append(row | {"frechet_distance": frechet[index], "step_flops": measured.step_flops[receiver]})
    return rows


def _inner(values: NDArray[np.float64], band: Band) -> NDArray[np.float64]:
    """Mean over the splits at which a receiver works on a noisy latent, and over the band: [R]."""
    return values[:, 1:-1, band.columns].mean(axis=(1, 2))


def _where(measured: ReceiverStudy, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means of every receiver over the splits, one row a band and receiver."""
    table = []
    for band in bands_of(measured.snr_db):
        levels = {measured.snr_db[index] for index in band.columns}
        last = max(row["split"] for row in rows)
        for receiver, flops in measured.step_flops.items():
            cells = [
                row["frechet_distance"]
                for row in rows
                if row["receiver"] == receiver and row["snr_db"] in levels and 0 < row["split"] < last
            ]
            row: dict[str, Any] = {"band": band.name, "receiver": receiver}
            for metric in METRICS:
                mean = mean_over_states(_inner(measured.values(receiver, metric), band))
                row |= {metric: mean.mean, f"{metric}_low": mean.low, f"{metric}_high": mean.high}
            table.append(row | {"frechet_distance": float(np.mean(cells)), "step_flops": flops})
    return table


def _claims(measured: ReceiverStudy, rows: Sequence[dict[str, Any]]) -> list[Claim]:
    where = _where(measured, rows)
    return [*(_advice(measured, band, where) for band in bands_of(measured.snr_db)), *_printed_claims(measured)]


def _printed_claims(measured: ReceiverStudy) -> list[Claim]:
    """Proposition 1 as printed: beside the right form, which draws noise as it does, and beside ignoring the noise."""
    levels, names = np.asarray(measured.snr_db), set(measured.step_flops)
    low = Band(f"{LOW_DB:g} dB and below", np.flatnonzero(levels <= LOW_DB))
    claims = []
    if {"printed", "ancestral"} <= names:
        ends = [Band(f"{each:g} dB", np.flatnonzero(levels == each)) for each in (GOOD_DB, LOW_DB)]
        held = [band for band in (*ends, low) if len(band.columns)]
        gaps = {band.name: _gain(measured, "printed", "ancestral", band) for band in held}
        kept = {
            band.name: [_inner(measured.values(name, "psnr_db"), band).mean() for name in ("printed", "ancestral")]
            for band in held
        }
        texts = [f"{name} {own:.1f} and {right:.1f} dB ({text_of(gaps[name])})" for name, (own, right) in kept.items()]
        claims.append(
            value_claim(
                "paper",
                "Proposition 1, as printed, is the reverse step under channel noise",
                f"PSNR beside the right one (ancestral, as stochastic): {'; '.join(texts)}",
                [(SAME_DB, gap) for gap in gaps.values()],
                "its coefficient subtracts a variance from a standard deviation and changes sign near 0 dB",
            )
        )
    if {"printed", "ignore"} <= names and len(low.columns):
        gain = _gain(measured, "printed", "ignore", low)
        right = next((name for name in ("ancestral", "rematch") if name in names), "ignore")
        better = _gain(measured, right, "ignore", low)
        claims.append(
            order_claim(
                "paper",
                "the reverse step of Proposition 1, as printed, removes channel noise",
                f"at {low.name}, PSNR {text_of(gain)} dB against ignoring the noise",
                [gain],
                f"the right process ({right}) is {text_of(better)} dB against ignoring it",
            )
        )
    return claims


def _advice(measured: ReceiverStudy, band: Band, where: Sequence[dict[str, Any]]) -> Claim:
    """Which receiver to use in a band, from the means over its cells."""
    rows = {row["receiver"]: row for row in where if row["band"] == band.name}
    by_psnr = sorted(rows, key=lambda name: -rows[name]["psnr_db"])
    best, second = by_psnr[0], by_psnr[1] if len(by_psnr) > 1 else by_psnr[0]
    lead = _gain(measured, best, second, band)
    aligned = max(rows, key=lambda name: rows[name]["alignment"])
    enough = [name for name in rows if rows[name]["alignment"] >= rows[aligned]["alignment"] - ALIGNMENT_CLOSE]
    cheap = min(enough, key=lambda name: (measured.step_flops[name], -rows[name]["alignment"]))
    distance = min(rows, key=lambda name: rows[name]["frechet_distance"])
    share = measured.step_flops[cheap] / max(measured.step_flops.values())
    return report(
        f"which receiver to use, {band.name}",
        f"to keep the image that was sent: {style_of(best)['label']} ({rows[best]['psnr_db']:.1f} dB, "
        f"{text_of(lead)} dB over {style_of(second)['label']}); to get what was asked for: "
        f"{style_of(aligned)['label']} (alignment {rows[aligned]['alignment']:.3f}), and at the least cost "
        f"within {ALIGNMENT_CLOSE} of it {style_of(cheap)['label']} ({rows[cheap]['alignment']:.3f}, "
        f"{measured.step_flops[cheap] / 1e6:.0f} MFLOP a step, {share:.0%} of the dearest); lowest Frechet distance: "
        f"{style_of(distance)['label']}",
    )


def _gain(measured: ReceiverStudy, one: str, other: str, band: Band) -> Interval:
    """Paired gain in PSNR over the inner splits of a band, with its interval over requests."""
    return mean_over_states(
        _inner(measured.values(one, "psnr_db"), band) - _inner(measured.values(other, "psnr_db"), band)
    )


@house_style()
def _draw(measured: ReceiverStudy, options: Options) -> Figure:
    labels = [*METRICS.values(), FRECHET]
    shape = len(labels), len(options.shown_splits)
    figure, panels = subplots(7.4, 1.75 * len(labels) + 0.5, *shape, sharex=True, sharey="row", squeeze=False)
    for receiver in measured.step_flops:
        frechet = _jackknife(measured, receiver, options.shown_splits)
        for column, split in enumerate(options.shown_splits):
            for row, metric in enumerate(METRICS):
                values = column_intervals(measured.values(receiver, metric)[:, split])
                draw_intervals(panels[row, column], measured.snr_db, values, **style_of(receiver))
            draw_intervals(panels[-1, column], measured.snr_db, frechet[column], **style_of(receiver))
    for column, split in enumerate(options.shown_splits):
        panels[0, column].set_title(f"split {split}")
        panels[-1, column].set_xlabel(SNR_LABEL)
    for row, label in enumerate(labels):
        panels[row, 0].set_ylabel(label)
    panels[-1, 0].set_yscale("log")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    return figure


def _jackknife(measured: ReceiverStudy, receiver: str, splits: Sequence[int]) -> list[list[Interval]]:
    """Frechet distances with normal 95 % intervals from a jackknife over requests, [splits][SNRs]."""
    count = len(measured.requests)
    whole = measured.frechet_distances(receiver, splits)
    left_out = np.stack([measured.frechet_distances(receiver, splits, without) for without in range(count)])
    error = np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return [
        [
            Interval(float(mean), float(mean - 1.96 * std), float(mean + 1.96 * std))
            for mean, std in zip(*pair, strict=True)
        ]
        for pair in zip(whole, error, strict=True)
    ]


@house_style()
def _draw_best(measured: ReceiverStudy, rows: Sequence[dict[str, Any]], steps: int) -> Figure:
    """The best receiver of every cell, by PSNR, alignment and Frechet distance."""
    names = list(measured.step_flops)
    inner, levels = range(1, steps), measured.snr_db
    cells = {(row["receiver"], row["split"], row["snr_db"]): row for row in rows}
    measures = {"PSNR": ("psnr_db", 1), "alignment": ("alignment", 1), FRECHET: ("frechet_distance", -1)}
    figure, panels = subplots(7.4, 3.4, 1, len(measures), sharey=True)
    for panel, (title, (key, sign)) in zip(panels, measures.items(), strict=True):
        values = np.array(
            [[[sign * cells[name, split, level][key] for level in levels] for split in inner] for name in names]
        )
        best = values.argmax(axis=0)
        # SNRs lie unevenly: cells of one width, named by their SNR.
        columns = edges_around(range(len(levels)))
        for index, name in enumerate(names):
            own = np.where(best == index, 1.0, np.nan)
            colours = ListedColormap([style_of(name)["color"]])
            panel.pcolormesh(columns, edges_around(list(inner)), own, cmap=colours, vmin=0, vmax=1)
        panel.set_xticks(range(len(levels)), [f"{level:g}" for level in levels], fontsize=7, rotation=60)
        panel.set(title=f"best by {title}", xlabel=SNR_LABEL)
        panel.grid(visible=False)
    panels[0].set(ylabel="Split (edge steps)", yticks=list(inner)[1::2])
    for name in names:
        style = style_of(name) | {"linestyle": "", "marker": "s"}
        panels[0].plot([], [], markersize=7, **style)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure
