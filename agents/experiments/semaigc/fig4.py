"""Figure 4: the images that the frameworks deliver over SNR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.evaluation.statistics import column_intervals
from agents.experiments.shared.claims import Claim, Near, order_claim, value_claim
from agents.experiments.shared.delivered import (
    EDGE,
    DeliveredImages,
    Frameworks,
    System,
    Tile,
    caption_of,
    draw_sheet,
    quality_rows,
    rivals_of,
    schemes_of,
)
from agents.experiments.shared.findings import Findings
from agents.experiments.shared.study import ImageOptions, Study
from agents.reports.style import label_of
from envs.checks import Points

NO_SHORTFALL = Near(0.0, 0.05)
"""Of alignment, to Edge's: the paper's "nearly resemble"."""


@dataclass(frozen=True)
class Options(ImageOptions):
    """Sizes.

    Attributes:
        snr_db: columns of the picture; each shown request has a picture of its own.
    """

    snr_db: Points


Sheet = Mapping[tuple[System, float], DeliveredImages]


def run(study: Study, options: Options) -> Findings:
    """Deliver the same requests by every framework at every SNR."""
    receivers = study.measured_receivers(options.receivers)
    schemes = schemes_of(receivers)
    delivery = Frameworks(study, options)
    cells = [(scheme, snr_db) for scheme in schemes for snr_db in options.snr_db]
    bar = tqdm(cells, desc="images", unit="image", unit_scale=len(delivery.requests), leave=False)
    sheet = {cell: delivery.deliver(*cell) for cell in bar}
    shown = range(min(options.shown, len(delivery.requests)))
    return Findings(
        "Figure 4: delivered images over SNR",
        {
            "" if index == 0 else str(index + 1): _draw(sheet, schemes, options.snr_db, index, delivery)
            for index in shown
        },
        {"": quality_rows(sheet)},
        [claim for receiver in receivers for claim in _claims(sheet, receiver, options.snr_db)],
        [
            *study.notes,
            delivery.note,
            "Edge sends an error-free image and Local makes it at the user: both deliver the noise-free image.",
        ],
    )


def _claims(sheet: Sheet, receiver: str, snr_db: Sequence[float]) -> list[Claim]:
    own = {level: sheet[System("root", receiver), level] for level in snr_db}
    every, behind, leads = [], [], []
    for name, rival in rivals_of(receiver).items():
        gaps = [own[level].quality["psnr_db"] - sheet[rival, level].quality["psnr_db"] for level in snr_db]
        means = column_intervals(np.stack(gaps, axis=1))
        worst = min(range(len(snr_db)), key=lambda index: means[index].mean)
        leads.append(f"{means[worst].mean:+.1f} dB over {label_of(name)} at {snr_db[worst]:g} dB")
        behind += [
            f"{label_of(name)} at {level:g} dB ({mean.mean:+.1f} dB, 95 % {mean.span('+.1f')}; split "
            f"{own[level].split} against {sheet[rival, level].split})"
            for level, mean in zip(snr_db, means, strict=True)
            if not mean.low > 0
        ]
        every += means
    short = column_intervals(
        np.stack(
            [sheet[EDGE, level].quality["alignment"] - own[level].quality["alignment"] for level in snr_db], axis=1
        )
    )
    far = int(np.argmax([each.mean for each in short]))
    at = f"receiver {receiver}: "
    lost = own[snr_db[far]]
    return [
        order_claim(
            "paper",
            "SemAIGC outperforms Non-ROOT and Non-fine-tuning under all channel qualities",
            f"{at}smallest leads in PSNR {', '.join(leads)}",
            every,
            f"not clearly ahead of {'; '.join(behind)}: ROOT is rewarded for an acceptable image in time, not for PSNR",
        ),
        value_claim(
            "paper",
            "SemAIGC's images nearly resemble those of Edge",
            f"{at}largest shortfall of alignment to Edge's {short[far].text('.3f')} at {snr_db[far]:g} dB; SSIM to it "
            f"{own[snr_db[0]].mean('ssim'):.2f} at {snr_db[0]:g} dB to {own[snr_db[-1]].mean('ssim'):.2f} at "
            f"{snr_db[-1]:g} dB",
            [(NO_SHORTFALL, each) for each in short],
            f"at {snr_db[far]:g} dB the prompt is lost in part of the images (PSNR {lost.mean('psnr_db'):.1f} dB at "
            f"split {lost.split})",
        ),
    ]


def _draw(sheet: Sheet, schemes: Sequence[System], snr_db: Sequence[float], index: int, delivery: Frameworks) -> Figure:
    def tile(scheme: System, level: float) -> Tile:
        each = sheet[scheme, level]
        return Tile(each.images[index], caption_of(scheme, each, index))

    figure = draw_sheet(
        [[tile(scheme, level) for level in snr_db] for scheme in schemes],
        [scheme.label.replace(", ", ",\n") for scheme in schemes],
        [f"SNR {level:g} dB" for level in snr_db],
    )
    figure.suptitle(f'"{delivery.requests[index].prompt}"; split, and PSNR to the noise-free image', fontsize=9)
    return figure
