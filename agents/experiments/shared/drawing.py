"""Pieces that several figures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval
from agents.reports.style import OKABE_ITO, label_of, line_style

SNR_LABEL, PACR_LABEL = "SNR (dB)", "Edge availability (PACR)"
RECEIVER_STYLES: dict[str, dict[str, Any]] = {
    "ignore": {"color": OKABE_ITO[1], "linestyle": ":", "marker": "D"},
    "rematch": {"color": OKABE_ITO[2], "linestyle": "-.", "marker": "s"},
    "rematch_light": {"color": OKABE_ITO[5], "linestyle": "-.", "marker": "^"},
    "finetuned": {"color": OKABE_ITO[0], "linestyle": "-", "marker": "o"},
    "printed": {"color": OKABE_ITO[6], "linestyle": "--", "marker": "x"},
}
RECEIVER_LABELS = {
    "ignore": "ignore",
    "rematch": "rematch, full weights",
    "rematch_light": "rematch, light weights",
    "finetuned": "finetuned",
    "printed": "printed Proposition 1",
}


def draw_band(axis: Axes, x: Sequence[float], intervals: Sequence[Interval], label: str, style: dict[str, Any]) -> None:
    """A line of means with its confidence band."""
    axis.plot(x, [each.mean for each in intervals], label=label, **style)
    low, high = [each.low for each in intervals], [each.high for each in intervals]
    axis.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def draw_policy(axis: Axes, x: Sequence[float], intervals: Sequence[Interval], policy: str) -> None:
    """`draw_band` in the house style of a policy."""
    draw_band(axis, x, intervals, label_of(policy), dict(line_style(policy)))


def draw_cells(axis: Axes, x: Sequence[float], y: Sequence[float], values: NDArray[np.floating], **kwargs: Any) -> Any:
    """A map of cells around the points x and y, values [Y, X], each written into its cell."""
    form = kwargs.pop("form", "{:.2f}")
    mesh = axis.pcolormesh(edges_around(x), edges_around(y), values, **kwargs)
    norm, colours = mesh.norm, mesh.get_cmap()
    for row, below in zip(values, y, strict=True):
        for value, left in zip(row, x, strict=True):
            if np.isfinite(value):
                red, green, blue, _ = colours(norm(value))
                ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
                axis.text(left, below, form.format(value), ha="center", va="center", fontsize=6, color=ink)
    axis.grid(visible=False)
    return mesh


def edges_around(points: Sequence[float]) -> NDArray[np.float64]:
    """Edges of cells with the points inside: halfway between them, [len(points) + 1]."""
    centre = np.asarray(points, dtype=np.float64)
    middle = (centre[1:] + centre[:-1]) / 2
    return np.concatenate([[2 * centre[0] - middle[0]], middle, [2 * centre[-1] - middle[-1]]])
