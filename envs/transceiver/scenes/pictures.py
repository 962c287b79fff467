"""Pictures of the scenes and of what the receivers deliver, labelled, for reports and the README."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from envs.transceiver.profile.profile import Request
from envs.transceiver.scenes.scenes import ALL_SCENES, render_scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

    from envs.transceiver.transceiver import Transceiver

DPI = 160
LARGEST = 2.5
"""Inches of an image on a sheet."""
TITLE_CHARACTERS = 11
"""In an inch of a request's title."""


def contact_sheet(rows: int, columns: int, seed: int) -> Figure:
    """Rendered scenes drawn at random, each under its caption."""
    rng = np.random.default_rng(seed)
    chosen = [ALL_SCENES[i] for i in rng.choice(len(ALL_SCENES), rows * columns, replace=False)]
    images = np.stack([render_scene(scene, seed) for scene in chosen]) / 255
    figure = _figure(columns * 1.25, rows * 1.4)
    for axes, scene, image in zip(figure.subplots(rows, columns).flat, chosen, images, strict=True):
        _show(axes, image)
        axes.set_title(scene.caption.replace(" on ", "\non ").replace(" at ", "\nat "), fontsize=6, pad=3)
    return figure


def delivered_images(
    transceiver: Transceiver,
    requests: Sequence[Request],
    receivers: Sequence[str],
    split: int,
    snrs_db: Sequence[float],
) -> Figure:
    """What each receiver delivers of the same requests and channel noise: rows request x receiver, columns SNR."""
    prompts, seeds = [r.prompt for r in requests], [r.seed for r in requests]
    columns = [*snrs_db, None]
    rows = [[transceiver.generate(prompts, seeds, split, snr_db, name) for snr_db in columns] for name in receivers]
    images = np.array([[pixels(out.images) for out in row] for row in rows])
    return delivered_sheet(prompts, receivers, columns, np.moveaxis(images, 2, 0))


def delivered_sheet(
    titles: Sequence[str],
    receivers: Sequence[str],
    snrs_db: Sequence[float | None],
    images: NDArray[np.floating],
    notes: NDArray[np.str_] | None = None,
) -> Figure:
    """Delivered images of Q requests under their titles: rows are receivers, columns SNRs.

    Args:
        titles: Q.
        receivers: R names.
        snrs_db: S SNRs in dB, None for a perfect link.
        images: [Q, R, S, H, W, 3] in [0, 1]; large ones keep more of their pixels.
        notes: [Q, R, S], one below each image.
    """
    wide = min(max(1.12, images.shape[4] / DPI), LARGEST)
    room = 0.0 if notes is None else 0.16
    height = wide * images.shape[3] / images.shape[4] - 0.04 + room
    width = len(snrs_db) * wide + 0.4
    titles = [fill(title, max(16, int(width * TITLE_CHARACTERS))) for title in titles]
    lines = sum(title.count("\n") for title in titles)
    figure = _figure(width, len(titles) * (len(receivers) * height + 0.45) + 0.17 * lines)
    parts = figure.subfigures(len(titles), 1, squeeze=False)[:, 0]
    for request, (part, title) in enumerate(zip(parts, titles, strict=True)):
        part.suptitle(title, fontsize=10, style="italic", parse_math=False)
        for (row, column), axes in np.ndenumerate(part.subplots(len(receivers), len(snrs_db), squeeze=False)):
            _show(axes, images[request, row, column])
            if notes is not None:
                axes.set_xlabel(notes[request, row, column], fontsize=7, labelpad=2)
            if row == 0:
                axes.set_title(snr_label(snrs_db[column]), fontsize=9)
            if column == 0:
                axes.set_ylabel(receivers[row], fontsize=9)
    return figure


def snr_label(snr_db: float | None) -> str:
    """An SNR as figures call it."""
    return "perfect link" if snr_db is None else f"{snr_db:g} dB"


def pixels(images: Tensor) -> NDArray[np.floating]:
    """Images [B, 3, H, W] as [B, H, W, 3]."""
    return images.permute(0, 2, 3, 1).cpu().numpy()


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    return Figure(figsize=(width, height), layout="constrained", dpi=DPI)


def _show(axes: Axes, image: NDArray[np.floating]) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
