"""Pieces that several figures share; all are drawn in the `house_style`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.statistics import Interval

SNR_LABEL, PACR_LABEL = "SNR (dB)", "Edge availability (PACR)"


def subplots(width: float, height: float, rows: int = 1, columns: int = 1, **settings: Any) -> tuple[Figure, Any]:
    """A figure of a size in inches that no window holds, and its panels; further keywords of `Figure.subplots`."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **settings)


def draw_line(
    panel: Axes, x: ArrayLike, mean: ArrayLike, low: ArrayLike, high: ArrayLike, shade: float = 0.15, **style: Any
) -> Any:
    """A line of means with its band, which is as dark as `shade` says."""
    panel.plot(x, mean, **style)  # type: ignore[arg-type]
    return panel.fill_between(x, low, high, color=style["color"], alpha=shade, linewidth=0)  # type: ignore[arg-type]


def draw_intervals(panel: Axes, x: Sequence[float], intervals: Sequence[Interval], **style: Any) -> None:
    """A line of means with the band of their intervals."""
    mean, low, high = np.array([(each.mean, each.low, each.high) for each in intervals]).T
    draw_line(panel, x, mean, low, high, **style)


def draw_range(panel: Axes, x: ArrayLike, curves: NDArray[np.float64], shade: float = 0.15, **style: Any) -> Any:
    """The mean of curves [S, E] with their range."""
    return draw_line(panel, x, curves.mean(axis=0), curves.min(axis=0), curves.max(axis=0), shade, **style)


def draw_bars(panel: Axes, bars: dict[str, tuple[Interval, str]], gap: float) -> None:
    """Horizontal bars with their intervals, from below.

    Args:
        bars: label -> mean and colour.
        gap: between the end of an interval and the number behind it, in the unit of the means.
    """
    for position, (value, colour) in enumerate(bars.values()):
        panel.barh(position, value.mean, color=colour, height=0.7)
        panel.plot([value.low, value.high], [position, position], color="black", linewidth=1.2)
        panel.text(max(value.high, 0.0) + gap, position, f"{value.mean:.3f}", va="center", fontsize=7)
    finish_bars(panel, list(bars))


def finish_bars(panel: Axes, labels: Sequence[str]) -> None:
    """Names and room for horizontal bars."""
    panel.set_yticks(range(len(labels)), labels)
    panel.grid(visible=False, axis="y")
    panel.set_axisbelow(True)
    panel.margins(x=0.12)


def write_above(panel: Axes, text: str, x: float, y: float) -> None:
    """A small text right above a point."""
    panel.annotate(text, (x, y), (0, 6), textcoords="offset points", ha="center", fontsize=7)


def write_cells(
    panel: Axes,
    x: ArrayLike,
    y: ArrayLike,
    values: NDArray[np.float64],
    form: str,
    white: NDArray[np.bool_],
    size: float = 6,
) -> None:
    """Write the finite ones of values [Y, X] into their cells, whose middles are x and y; `white` ink or black."""
    across, up = np.asarray(x), np.asarray(y)
    for i, j in np.argwhere(np.isfinite(values)):
        ink = "white" if white[i, j] else "black"
        panel.text(across[j], up[i], form.format(values[i, j]), ha="center", va="center", fontsize=size, color=ink)
    panel.grid(visible=False)


def draw_cells(
    panel: Axes, x: Sequence[float], y: Sequence[float], values: NDArray[np.float64], form: str, **colours: Any
) -> ScalarMappable:
    """A map of cells around the points x and y, values [Y, X], each written into its cell in this form."""
    mesh = panel.pcolormesh(edges_around(x), edges_around(y), values, **colours)
    write_cells(panel, x, y, values, form, luminance(mesh.to_rgba(values)) <= 0.5)
    return mesh


def luminance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """How bright colours [..., 3 or 4] look, in [0, 1]."""
    return colours[..., :3] @ (0.299, 0.587, 0.114)


def colour_bar(figure: Figure, mesh: ScalarMappable, panels: Any, label: str = "") -> None:
    """The colour scale of panels, without a frame."""
    bar = figure.colorbar(mesh, ax=panels, label=label)
    bar.outline.set_visible(False)  # type: ignore[operator]


def edges_around(points: Sequence[float]) -> NDArray[np.float64]:
    """Edges of cells with the points inside: halfway between them, [len(points) + 1]."""
    centre = np.asarray(points, dtype=np.float64)
    middle = (centre[1:] + centre[:-1]) / 2
    return np.concatenate([[2 * centre[0] - middle[0]], middle, [2 * centre[-1] - middle[-1]]])
