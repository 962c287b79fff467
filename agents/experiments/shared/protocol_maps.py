"""Which protocol a policy takes most in cells of link and compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from agents.experiments.shared.drawing import PACR_LABEL, SNR_LABEL
from agents.reports.style import GREY, OKABE_ITO, house_style, label_of

AXES = {"snr_db": SNR_LABEL, "bandwidth_hz": "Bandwidth (MHz)"}
"""Quantities along the maps' x axes; PACR is along y."""


@dataclass(frozen=True)
class ProtocolMap:
    """The protocol taken most in each cell.

    Attributes:
        x: edges [X + 1] of a quantity of `AXES`.
        edge_availability: edges [Y + 1].
        most: int64 [Y, X], index of the protocol; -1 where there is no state.
        share: float64 [Y, X], of the cell's states in which it is taken; NaN where there is none.
    """

    x: NDArray[np.float64]
    edge_availability: NDArray[np.float64]
    most: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        x: NDArray[np.float64],
        edge_availability: NDArray[np.float64],
        protocol: NDArray[np.int64],
        edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> ProtocolMap:
        """Count the protocols [N] of states with x [N] and availability [N] in cells between the edges."""
        protocols = np.arange(protocol.max() + 2) - 0.5
        counts, _ = np.histogramdd((edge_availability, x, protocol), (edges[1], edges[0], protocols))
        total = counts.sum(axis=-1)
        share = np.divide(counts.max(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)
        return cls(*edges, np.where(total > 0, counts.argmax(axis=-1), -1), share)


def edges_between(values: NDArray[np.float64], cells: int, logarithmic: bool) -> NDArray[np.float64]:
    """Edges [cells + 1] of cells of one width, or of one ratio, that hold all values."""
    ends = values.min(), values.max()
    return np.geomspace(*ends, cells + 1) if logarithmic else np.linspace(*ends, cells + 1)


def draw_maps(maps: Mapping[str, Mapping[str, ProtocolMap]], protocols: Sequence[str]) -> Figure:
    """Draw policies below each other and quantities of `AXES` beside each other.

    Args:
        maps: policy -> quantity -> map.
        protocols: names, by index.
    """
    colours = dict(zip(protocols, (*OKABE_ITO[:6], GREY, *OKABE_ITO[6:]), strict=False))
    with house_style():
        figure = Figure(figsize=(7.6, 0.5 + 2.8 * len(maps)), layout="constrained")
        panels = figure.subplots(len(maps), len(AXES), squeeze=False, sharey=True, sharex="col")
        for row, (policy, each) in zip(panels, maps.items(), strict=True):
            for panel, (quantity, map_) in zip(row, each.items(), strict=True):
                _draw_map(panel, map_, [to_rgb(colours[name]) for name in protocols], quantity)
                panel.set_title(label_of(policy))
            row[0].set_ylabel(PACR_LABEL)
        for panel, label in zip(panels[-1], AXES.values(), strict=True):
            panel.set_xlabel(label)
        seen = sorted(
            {int(index) for each in maps.values() for map_ in each.values() for index in map_.most.flat} - {-1}
        )
        handles = [Patch(color=colours[protocols[index]], label=protocols[index]) for index in seen]
        figure.legend(handles=handles, loc="outside lower center", ncols=max(1, len(handles)))
    return figure


def _draw_map(panel: Axes, map_: ProtocolMap, colours: Sequence[tuple[float, float, float]], quantity: str) -> None:
    scale = 1e-6 if quantity == "bandwidth_hz" else 1.0
    x, y = map_.x * scale, map_.edge_availability
    white = np.ones(3)
    shade = np.ones((*map_.most.shape, 3))
    for index, share in np.ndenumerate(map_.share):
        if np.isfinite(share):
            strength = 0.25 + 0.75 * share
            shade[index] = strength * np.array(colours[int(map_.most[index])]) + (1 - strength) * white
    panel.pcolormesh(x, y, shade)
    if quantity == "bandwidth_hz":
        panel.set_xscale("log")
        panel.set_xticks([0.3, 1, 3, 10, 20], ["0.3", "1", "3", "10", "20"])
        panel.minorticks_off()
    for (row, column), share in np.ndenumerate(map_.share):
        if np.isfinite(share):
            centre = np.sqrt(x[column] * x[column + 1]) if scale != 1.0 else (x[column] + x[column + 1]) / 2
            ink = "white" if shade[row, column] @ (0.299, 0.587, 0.114) < 0.55 else "black"
            panel.text(
                centre, (y[row] + y[row + 1]) / 2, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=ink
            )
    panel.grid(visible=False)
