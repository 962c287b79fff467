"""Pictures of the scenes and of what the receivers deliver, labelled, for reports and the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from envs.transceiver.profile.profile import Request
from envs.transceiver.scenes.scenes import ALL_SCENES, render_scene

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from envs.transceiver.transceiver import Transceiver


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
    columns: list[tuple[str, float | None]] = [(f"{snr_db:g} dB", snr_db) for snr_db in snrs_db]
    columns.append(("perfect link", None))
    figure = _figure(len(columns) * 1.12 + 0.4, len(requests) * (len(receivers) * 1.08 + 0.45))
    parts = figure.subfigures(len(requests), 1, squeeze=False)[:, 0]
    grids = [part.subplots(len(receivers), len(columns), squeeze=False) for part in parts]
    for part, prompt in zip(parts, prompts, strict=True):
        part.suptitle(prompt, fontsize=10, style="italic")
    for row, receiver in enumerate(receivers):
        for column, (label, snr_db) in enumerate(columns):
            out = transceiver.generate(prompts, seeds, split, snr_db, receiver)
            for grid, image in zip(grids, out.images.permute(0, 2, 3, 1).cpu().numpy(), strict=True):
                _show(grid[row, column], image)
                if row == 0:
                    grid[row, column].set_title(label, fontsize=9)
                if column == 0:
                    grid[row, column].set_ylabel(receiver, fontsize=9)
    return figure


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure  # slow to import, and only pictures need it

    return Figure(figsize=(width, height), layout="constrained", dpi=160)


def _show(axes: Axes, image: NDArray[np.floating]) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
