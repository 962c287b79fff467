"""What bits are worth: latents of few bits over the split, coded images, and links at equal channel uses and energy.

Everything is read from the profile. A coded latent arrives without channel noise, its quantisation is noise of a known
variance that the receiver re-matches to. Intervals are over requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.claims import Claim, Near, order_claim, report, value_claim
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.states import difference
from agents.experiments.shared.study import Study
from agents.reports.drawing import SNR_LABEL, draw_intervals, subplots
from agents.reports.style import GREY, colour_of, house_style
from envs.checks import Count, Points
from envs.costs import (
    Payloads,
    analog_channel_uses,
    channel_uses,
    coded_rate_bps,
    image_bits_per_pixel,
    latent_bits_per_element,
)
from envs.transceiver import ACCEPTANCE_RULES, METRICS, NOISE_FREE, QualityTable, TableKey, latent_codec
from envs.units import linear_to_db

PLAIN_BITS = 8
"""Of an element of a latent that is not coded, as it is priced."""
HALF = 0.5
LOSS = 0.01
"""Of accepted images, that half of the bits may cost at the split of the bar."""
AS_OFTEN = Near(0.0, 0.02)
"""Of shares of accepted images, one less the other."""

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        receiver: of the hand-overs.
        split: of the bar, and at which links are compared.
        snr_db: of the links.
        compared: codecs that the links are compared with, those of them that the profile has.
    """

    receiver: str
    split: Count
    snr_db: Points
    compared: list[str]


@dataclass(frozen=True)
class Handed:
    """Hand-overs by one receiver under one rule.

    Attributes:
        splits: K.
        snr_db: S, of the noisy ones.
        plain: over a perfect link, accepted or not, [R, K].
        noisy: share of the channel draws, [R, K, S].
        coded: codec -> accepted or not, [R, K].
    """

    splits: tuple[int, ...]
    snr_db: NDArray[np.float64]
    plain: Shares
    noisy: Shares
    coded: Mapping[str, Shares]

    def column(self, split: int) -> int:
        """Of a split."""
        return self.splits.index(split)

    def over_noise(self, split: int, snr_db: float) -> Shares:
        """Share of the draws at any SNR, linear between the measured ones: [R]."""
        values = self.noisy[:, self.column(split)]
        return np.array([np.interp(snr_db, self.snr_db, each) for each in values])


def run(study: Study, options: Options) -> Findings:
    """Read the coded tables of a receiver and of the noise-free images."""
    steps = study.num_inference_steps
    plain = study.part.table(TableKey(options.receiver, steps))
    keys = sorted(key for key in study.part.tables if key[:2] == (options.receiver, steps) and key.is_coded)
    if not keys:
        raise ValueError(
            f"the profile has no coded latents of {options.receiver} with T = {steps}: python -m envs make_profile "
            f"'measure.receivers.{options.receiver}.codecs=[u3,u4,u6]'"
        )
    if options.split not in plain.splits[1:]:
        raise ValueError(f"experiment.split must be one of {plain.splits[1:]}, got {options.split}")
    tables = {key.codec: study.part.table(key) for key in keys}
    handed = {rule: _handed(plain, tables, each.metric, each.least) for rule, each in ACCEPTANCE_RULES.items()}
    images = _images(study)
    study.note(
        f"receiver {options.receiver}, T = {steps}, {len(plain.rows)} requests of the part {study.settings.requests}; "
        "bits are those of Stable Diffusion's latents (64 x 64 x 4) and images (512 x 512), acceptance is the embedded "
        "model's, whose images have 64 x 64 pixels"
    )
    return Findings(
        "What bits are worth",
        {"": _draw(handed, options, steps), "links": _draw_links(handed, options, steps)},
        {
            "": named_rows("rule", handed, lambda each: _rows(each, steps)),
            "images": images,
            "links": named_rows("rule", handed, lambda each: _link_rows(each, options, steps)),
        },
        [
            *(claim for rule, each in handed.items() for claim in _claims(rule, each, options, steps)),
            report("accepted images, coded", _told(images, steps)),
        ],
        study.notes,
    )


def _handed(plain: QualityTable, tables: Mapping[str, QualityTable], metric: str, least: float) -> Handed:
    index, rows = METRICS.index(metric), plain.rows
    for table in tables.values():
        rows = np.intersect1d(rows, table.rows)
    kept = np.searchsorted(plain.rows, rows)

    def accepted(table: QualityTable) -> Shares:
        return np.asarray(table.noise_free[index, np.searchsorted(table.rows, rows)] >= least, dtype=np.float64)

    return Handed(
        plain.splits,
        plain.snr_db,
        accepted(plain),
        (plain.values[index, kept] >= least).mean(axis=-1),
        {codec: accepted(table) for codec, table in tables.items()},
    )


def matched_snr_db(codec: str) -> float:
    """SNR of the noise that a latent's quantiser leaves, in dB."""
    gain, variance = latent_codec(codec).noise
    return float(linear_to_db(gain**2 / variance))


def share_of_bits(codec: str, split: int, steps: int) -> float:
    """Bits of a coded latent over those of one that is not."""
    return latent_bits_per_element(codec, split / steps) / PLAIN_BITS


def _claims(rule: str, handed: Handed, options: Options, steps: int) -> list[Claim]:
    column = handed.column(options.split)
    plain = handed.plain[:, column]
    shares = {codec: share_of_bits(codec, options.split, steps) for codec in handed.coded}
    least = max((codec for codec in shares if shares[codec] <= HALF), key=shares.__getitem__, default=None)
    claims = []
    if least is not None:
        gap = difference(handed.coded[least][:, column], plain)
        claims.append(
            order_claim(
                "project",
                f"half of the bits cost at most {LOSS:g} of the accepted images at split {options.split} ({rule})",
                f"{least}, {shares[least]:.0%} of the bits: {gap.text('+.4f')}",
                [gap],
                f"it costs {-gap.mean:.3f}",
                above=-LOSS,
            )
        )
    gaps = {
        codec: difference(accepted[:, column], handed.over_noise(options.split, matched_snr_db(codec)))
        for codec, accepted in handed.coded.items()
    }
    told = ", ".join(
        f"{codec} ({matched_snr_db(codec):.1f} dB) {gap.text('+.3f')}" for codec, gap in sorted(gaps.items())
    )
    claims.append(
        value_claim(
            "project",
            f"b bits are as good as a link with the SNR of their rounding, at split {options.split} ({rule})",
            told,
            [(AS_OFTEN, gap) for gap in gaps.values()],
            "rounding and channel differ where they differ",
        )
    )
    return claims


def _images(study: Study) -> list[Row]:
    """Coded noise-free images: bits a pixel and accepted shares."""
    rows: list[Row] = []
    for key in sorted(key for key in study.part.tables if key.receiver == NOISE_FREE and key.is_coded):
        table = study.part.table(key)
        for rule, each in ACCEPTANCE_RULES.items():
            metric = METRICS.index(each.metric)
            coded = np.asarray(table.noise_free[metric, :, 0] >= each.least, dtype=np.float64)
            plain = np.asarray(study.part.reference(key.num_inference_steps, each.metric)[table.rows] >= each.least)
            rows.append(
                {
                    "num_inference_steps": key.num_inference_steps,
                    "codec": key.codec,
                    "bits_per_pixel": image_bits_per_pixel(key.codec),
                    "rule": rule,
                    "accepted": column_intervals(coded[:, None])[0],
                    "less_than_raw": difference(coded, plain.astype(np.float64)),
                    "requests": len(coded),
                }
            )
    return rows


def _told(images: list[Row], steps: int) -> str:
    own = [row for row in images if row["num_inference_steps"] == steps]
    return ", ".join(f"{row['codec']} ({row['rule']}) {row['accepted'].text('.3f')}" for row in own) or "not measured"


def _rows(handed: Handed, steps: int) -> list[Row]:
    rows: list[Row] = []
    for codec, accepted in handed.coded.items():
        means, gaps = column_intervals(accepted), column_intervals(accepted - handed.plain)
        for split, mean, gap in list(zip(handed.splits, means, gaps, strict=True))[1:]:
            noisy = handed.over_noise(split, matched_snr_db(codec))
            rows.append(
                {
                    "codec": codec,
                    "split": split,
                    "share_of_bits": share_of_bits(codec, split, steps),
                    "matched_snr_db": matched_snr_db(codec),
                    "accepted": mean,
                    "less_than_uncoded": gap,
                    "accepted_over_noise_of_that_snr": float(noisy.mean()),
                    "requests": len(accepted),
                }
            )
    return rows


def _links(handed: Handed, options: Options, steps: int) -> dict[str, tuple[list[float], list[Interval]]]:
    """Accepted shares over SNR: symbols once, symbols with the channel uses (and so the energy) of coded bits, bits.

    Symbols that are repeated n times, and combined, gain a factor n of SNR: equal channel uses are equal energy.
    """
    elements = Payloads().latent / PLAIN_BITS
    once = float(analog_channel_uses(elements))

    def symbols(uses: list[float]) -> list[Interval]:
        gained = [snr_db + float(linear_to_db(each)) for snr_db, each in zip(options.snr_db, uses, strict=True)]
        return column_intervals(np.stack([handed.over_noise(options.split, snr_db) for snr_db in gained], axis=1))

    ones = [1.0 for _ in options.snr_db]
    found = {"analog, once": (ones, symbols(ones))}
    for codec in (each for each in options.compared if each in handed.coded):
        bits = elements * latent_bits_per_element(codec, options.split / steps)
        uses = [float(channel_uses(bits, snr_db)) / once for snr_db in options.snr_db]
        accepted = column_intervals(handed.coded[codec][:, [handed.column(options.split)]])
        found[f"analog, as often as {codec}"] = uses, symbols(uses)
        found[f"digital, {codec}"] = uses, accepted * len(uses)
    return found


def _link_rows(handed: Handed, options: Options, steps: int) -> list[Row]:
    return [
        {
            "link": name,
            "snr_db": snr_db,
            "channel_uses_over_analog": each,
            "energy_over_analog": each,
            "bits_per_use": float(coded_rate_bps(1.0, snr_db)),
            "accepted": share,
        }
        for name, (uses, shares) in _links(handed, options, steps).items()
        for snr_db, each, share in zip(options.snr_db, uses, shares, strict=True)
    ]


@house_style()
def _draw(handed: Mapping[str, Handed], options: Options, steps: int) -> Figure:
    figure, panels = subplots(8.4, 3.2, 1, 2, sharey=True)
    for panel, (rule, each) in zip(panels, handed.items(), strict=True):
        splits = each.splits[1:]
        draw_intervals(panel, splits, column_intervals(each.plain)[1:], color=GREY, label="uncoded, perfect link")
        for position, (codec, accepted) in enumerate(each.coded.items()):
            share = share_of_bits(codec, options.split, steps)
            label = f"{codec}: {share:.0%} of the bits"
            draw_intervals(panel, splits, column_intervals(accepted)[1:], color=colour_of(position), label=label)
        panel.set(title=str(ACCEPTANCE_RULES[rule]), xlabel="Split (steps at the edge)", ylim=(0, 1.02))
    panels[0].set_ylabel("Accepted images")
    panels[0].legend(loc="lower left", fontsize=7)
    return figure


@house_style()
def _draw_links(handed: Mapping[str, Handed], options: Options, steps: int) -> Figure:
    figure, panels = subplots(8.4, 3.2, 1, 2, sharey=True)
    for panel, (rule, each) in zip(panels, handed.items(), strict=True):
        codecs = list(each.coded)
        for name, (_, shares) in _links(each, options, steps).items():
            codec = name.rpartition(" ")[2]
            colour = colour_of(codecs.index(codec)) if codec in codecs else "black"
            style = "--" if name.startswith("digital") else "-"
            draw_intervals(panel, list(options.snr_db), shares, shade=0.08, color=colour, linestyle=style, label=name)
        panel.set(title=str(ACCEPTANCE_RULES[rule]), xlabel=SNR_LABEL, ylim=(0, 1.02))
    panels[0].set_ylabel(f"Accepted images, split {options.split}")
    panels[1].legend(loc="lower right", fontsize=7)
    return figure
