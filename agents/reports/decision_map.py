"""The decision map: the mean split that a policy chooses over SNR x available compute at the edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.reports.style import house_style, label_of


@dataclass(frozen=True)
class DecisionMap:
    """Mean decision in cells of SNR x availability.

    Attributes:
        snr_db: float [X + 1], edges of the cells in dB.
        availability: float [Y + 1], edges of the cells in (0, 1].
        mean_split: float [Y, X], denoising steps at the edge; NaN where a cell was never visited.
    """

    snr_db: NDArray[np.float64]
    availability: NDArray[np.float64]
    mean_split: NDArray[np.float64]


def decision_map(
    snr_db: NDArray[np.floating], availability: NDArray[np.floating], split: NDArray[np.number], cells: int = 10
) -> DecisionMap:
    """Average decisions in cells of equal width.

    Args:
        snr_db, availability: float [N], the state of each decision.
        split: [N], denoising steps at the edge.
        cells: cells along each axis.

    Returns:
        The map.

    Raises:
        ValueError: no decision, or arrays of different lengths.
    """
    if not len(snr_db) or not len(snr_db) == len(availability) == len(split):
        raise ValueError(f"need arrays of one length > 0, got {len(snr_db)}, {len(availability)}, {len(split)}")
    x_edges = np.histogram_bin_edges(snr_db, cells)
    y_edges = np.histogram_bin_edges(availability, cells)
    column = np.clip(np.searchsorted(x_edges, snr_db, side="right") - 1, 0, cells - 1)
    row = np.clip(np.searchsorted(y_edges, availability, side="right") - 1, 0, cells - 1)
    count, total = np.zeros((cells, cells)), np.zeros((cells, cells))
    np.add.at(count, (row, column), 1.0)
    np.add.at(total, (row, column), split)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return DecisionMap(x_edges, y_edges, mean)


def draw_decision_maps(maps: dict[str, DecisionMap], num_inference_steps: int) -> Figure:
    """Draw the maps of several policies side by side on one colour scale.

    Args:
        maps: policy name -> map.
        num_inference_steps: T, the top of the colour scale.

    Returns:
        A figure that no window holds.
    """
    with house_style():
        figure = Figure(figsize=(1.2 + 2.7 * len(maps), 2.9), layout="constrained")
        axes = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
        for axis, (name, map_) in zip(axes, maps.items(), strict=True):
            mesh = axis.pcolormesh(
                map_.snr_db, map_.availability, map_.mean_split, cmap="viridis", vmin=0, vmax=num_inference_steps
            )
            axis.set(title=label_of(name), xlabel="SNR (dB)")
            axis.grid(visible=False)
        axes[0].set_ylabel("Edge availability (PACR)")
        bar = figure.colorbar(mesh, ax=axes, label="Mean split (edge steps)")
        bar.outline.set_visible(False)
    return figure


def to_image(figure: Figure) -> NDArray[np.uint8]:
    """The pixels of a figure, uint8 [H, W, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]
