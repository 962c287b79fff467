"""Figure 5: details of the delivered images over a link of 0 dB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from agents.experiments.shared.claims import Claim, order_claim, report
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
from agents.experiments.shared.states import difference
from agents.experiments.shared.study import ImageOptions, Study
from agents.reports.style import label_of

DETAIL = (0.36, 0.32, 0.36)
"""Top, left and size of the detail, as shares of the image: the middle of the scene."""
VISIBLE_DB = 1.0
"""Leads in PSNR below this count as none to the eye."""


@dataclass(frozen=True)
class Options(ImageOptions):
    """Sizes.

    Attributes:
        snr_db: of the link.
    """

    snr_db: float


Sheet = Mapping[System, DeliveredImages]


def run(study: Study, options: Options) -> Findings:
    """Deliver the same requests by every framework and look closely."""
    receivers = study.measured_receivers(options.receivers)
    delivery = Frameworks(study, options)
    sheet = {scheme: delivery.deliver(scheme, options.snr_db) for scheme in schemes_of(receivers)}
    return Findings(
        f"Figure 5: details of the delivered images at {options.snr_db:g} dB",
        {"": _draw(sheet, min(options.shown, len(delivery.requests)), delivery)},
        {"": quality_rows({(scheme, options.snr_db): each for scheme, each in sheet.items()})},
        [claim for receiver in receivers for claim in _claims(sheet, receiver, options.snr_db)],
        [*study.notes, delivery.note],
    )


def _claims(sheet: Sheet, receiver: str, snr_db: float) -> list[Claim]:
    own, edge = sheet[System("root", receiver)], sheet[EDGE]
    rivals = {name: sheet[scheme] for name, scheme in rivals_of(receiver).items()}
    gaps = {name: difference(own.quality["psnr_db"], each.quality["psnr_db"]) for name, each in rivals.items()}
    measured = f"receiver {receiver}: PSNR {own.mean('psnr_db'):.1f} dB, SSIM {own.mean('ssim'):.3f}; "
    return [
        order_claim(
            "paper",
            f"at {snr_db:g} dB Non-ROOT and Non-fine-tuning have noisy points and blurred edges, SemAIGC has not",
            measured
            + ", ".join(
                f"{label_of(name)} {each.mean('psnr_db'):.1f} dB, {each.mean('ssim'):.3f} "
                f"(lead {gaps[name].mean:+.1f} dB, 95 % {gaps[name].span('+.1f')})"
                for name, each in rivals.items()
            ),
            gaps.values(),
            f"split {own.split} against {rivals['non_root'].split} of Non-ROOT: the same receiver with other steps "
            f"differs by {gaps['non_root'].mean:+.1f} dB",
            above=VISIBLE_DB,
        ),
        # Nothing to judge: Edge's image is the reference that SSIM is taken to.
        report(
            f"the paper: at {snr_db:g} dB Edge's image is distorted too, and worse than SemAIGC's",
            f"{measured}SSIM of Edge's {edge.mean('ssim'):.3f} by definition: it is sent error-free here, is the "
            "reference, and pays in time instead",
        ),
    ]


def _draw(sheet: Sheet, shown: int, delivery: Frameworks) -> Figure:
    height = next(iter(sheet.values())).images.shape[-2]
    top, left, size = (round(share * height) for share in DETAIL)
    rows: list[Sequence[Tile]] = []
    labels: list[str] = []
    for index in range(shown):
        box = (top, left, size)
        rows.append([Tile(each.images[index], caption_of(scheme, each, index), box) for scheme, each in sheet.items()])
        rows.append([Tile(each.images[index][:, top : top + size, left : left + size]) for each in sheet.values()])
        labels += [delivery.requests[index].prompt.replace(" on ", "\non ").replace(" at ", "\nat "), "detail"]
    return draw_sheet(rows, labels, [scheme.label.replace(", ", ",\n") for scheme in sheet])
