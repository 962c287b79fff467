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

from agents.experiments.shared.findings import Row
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, luminance, subplots, write_cells
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
    def from_decisions(
        cls,
        x: NDArray[np.float64],
        edge_availability: NDArray[np.float64],
        protocol: NDArray[np.int64],
        edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> ProtocolMap:
        """Count the protocols [..., N] of N states with x and availability [N] in cells between the edges."""
        states = [np.tile(each, protocol.size // len(x)) for each in (edge_availability, x)]
        protocols = np.arange(protocol.max() + 2) - 0.5
        counts, _ = np.histogramdd((*states, protocol.reshape(-1)), (edges[1], edges[0], protocols))
        total = counts.sum(axis=-1)
        share = np.divide(counts.max(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)
        return cls(*edges, np.where(total > 0, counts.argmax(axis=-1), -1), share)

    def rows(self, protocols: Sequence[str]) -> list[Row]:
        """The cells, one by one."""
        return [
            {
                "low": float(self.x[column]),
                "high": float(self.x[column + 1]),
                "edge_availability_low": float(self.edge_availability[row]),
                "edge_availability_high": float(self.edge_availability[row + 1]),
                "protocol": protocols[int(most)] if most >= 0 else "",
                "share": float(self.share[row, column]),
            }
            for (row, column), most in np.ndenumerate(self.most)
        ]


def maps_over(
    state: Mapping[str, NDArray[np.float64]], taken: Mapping[str, NDArray[np.int64]], cells: int
) -> dict[str, dict[str, ProtocolMap]]:
    """Policy -> quantity -> map of its decisions.

    Args:
        state: name -> [N], in physical units.
        taken: policy -> [A, N], protocol that each of its agents takes.
        cells: along each axis.
    """
    availability = state["edge_availability"]
    rows = edges_between(availability, cells, logarithmic=False)
    columns = {name: edges_between(state[name], cells, logarithmic=name == "bandwidth_hz") for name in AXES}
    return {
        policy: {
            name: ProtocolMap.from_decisions(state[name], availability, protocols, (edges, rows))
            for name, edges in columns.items()
        }
        for policy, protocols in taken.items()
    }


def edges_between(values: NDArray[np.float64], cells: int, logarithmic: bool) -> NDArray[np.float64]:
    """Edges [cells + 1] of cells of one width, or of one ratio, that hold all values."""
    ends = values.min(), values.max()
    return np.geomspace(*ends, cells + 1) if logarithmic else np.linspace(*ends, cells + 1)


@house_style()
def draw_maps(maps: Mapping[str, Mapping[str, ProtocolMap]], protocols: Sequence[str]) -> Figure:
    """Draw policies below each other and quantities of `AXES` beside each other.

    Args:
        maps: policy -> quantity -> map.
        protocols: names, by index.
    """
    palette = (*OKABE_ITO[:6], GREY, *OKABE_ITO[6:])
    colours = np.array([to_rgb(colour) for _, colour in zip(protocols, palette, strict=False)])
    figure, panels = subplots(
        7.6, 0.5 + 2.8 * len(maps), len(maps), len(AXES), squeeze=False, sharey=True, sharex="col"
    )
    for row, (policy, each) in zip(panels, maps.items(), strict=True):
        for panel, (quantity, map_) in zip(row, each.items(), strict=True):
            _draw_map(panel, map_, colours, in_megahertz=quantity == "bandwidth_hz")
            panel.set_title(label_of(policy))
        row[0].set_ylabel(PACR_LABEL)
    for panel, label in zip(panels[-1], AXES.values(), strict=True):
        panel.set_xlabel(label)
    seen = sorted({int(index) for each in maps.values() for map_ in each.values() for index in map_.most.flat} - {-1})
    handles = [Patch(color=colours[index], label=protocols[index]) for index in seen]
    figure.legend(handles=handles, loc="outside lower center", ncols=max(1, len(handles)))
    return figure


def _draw_map(panel: Axes, map_: ProtocolMap, colours: NDArray[np.float64], in_megahertz: bool) -> None:
    x, y = map_.x * (1e-6 if in_megahertz else 1.0), map_.edge_availability
    # White where there is no state; the paler, the less the protocol is ahead.
    strength = np.nan_to_num(0.25 + 0.75 * map_.share)[..., None]
    shade = strength * colours[map_.most] + (1 - strength)
    panel.pcolormesh(x, y, shade)
    if in_megahertz:
        panel.set_xscale("log")
        panel.set_xticks([0.3, 1, 3, 10, 20], ["0.3", "1", "3", "10", "20"])
        panel.minorticks_off()
    across = np.sqrt(x[1:] * x[:-1]) if in_megahertz else (x[1:] + x[:-1]) / 2
    write_cells(panel, across, (y[1:] + y[:-1]) / 2, 100 * map_.share, "{:.0f}", luminance(shade) < 0.55)
