"""Sample paths of a scenario, as a figure."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from agents.reports.style import OKABE_ITO, house_style

PANELS = {
    "snr_db": ("SNR (dB)", 1.0),
    "bandwidth_hz": ("Bandwidth (MHz)", 1e-6),
    "edge_availability": ("Edge (PACR)", 1.0),
    "backlog_s": ("Backlog (s)", 1.0),
    "battery_j": ("Battery (kJ)", 1e-3),
    "cached": ("Model at the edge", 1.0),
    "split": ("Edge steps (oracle)", 1.0),
}
"""Quantity -> label, and factor to its unit."""

YES_OR_NO = ("cached",)
APART = 0.05
"""Between the lines of two sessions that would hide each other."""

LABELS_PAD = 0.1
"""Inches at the sides: aligned labels need more room than the layout measures."""

MHZ_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def draw_paths(paths: Mapping[str, NDArray], title: str) -> Figure:
    """Draw quantities of several sessions over the requests.

    Args:
        paths: name -> [requests, sessions], see `agents.scenarios.measure.sample_paths`.
        title: of the figure.

    Returns:
        A figure that no window holds.
    """
    shown = [name for name in PANELS if name in paths]
    with house_style():
        figure = Figure(figsize=(7.2, 0.5 + 1.15 * len(shown)), layout=ConstrainedLayoutEngine(w_pad=LABELS_PAD))
        axes = figure.subplots(len(shown), 1, sharex=True)
        for axis, name in zip(axes, shown, strict=True):
            label, factor = PANELS[name]
            for session, values in enumerate(paths[name].T):
                colour = OKABE_ITO[session % len(OKABE_ITO)]
                shown_values = factor * values + (APART * session if name in YES_OR_NO else 0.0)
                axis.step(range(1, len(values) + 1), shown_values, where="mid", color=colour, linewidth=1.1)
            axis.set_ylabel(label, fontsize=7.5)
            if name in YES_OR_NO:
                axis.set_yticks([0, 1], ["no", "yes"])
            if name == "bandwidth_hz":
                axis.set_yscale("log")
                low, high = factor * paths[name].min(), factor * paths[name].max()
                ticks = [tick for tick in MHZ_TICKS if low <= tick <= high]
                axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
                axis.yaxis.set_minor_formatter(NullFormatter())
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[-1].set_xlabel("Request of the session")
        axes[0].set_title(title)
        figure.align_ylabels(axes)
    return figure
