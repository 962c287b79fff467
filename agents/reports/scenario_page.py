"""`docs/scenarios.md`: what each scenario is, looks like and asks, with sample paths as figures."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from agents.evaluation.standings import LABELS, ScenarioFindings
from agents.reports.page import TEMPLATES
from agents.reports.style import colour_of, house_style
from envs import SCENARIO_IDS, SplitSettings
from envs.checks import parse


def scenarios_page(measured: Mapping[str, Any]) -> str:
    """The page in Markdown, `templates/scenarios.md` filled.

    Args:
        measured: `num_requests` that each policy served, of which `part`, `sessions` in a picture, `pictures` (their
            folder, as the page links to it) and `found`, id of an environment -> values of its `ScenarioFindings`, as
            JSON has them.
    """
    found = {}
    for name, values in measured["found"].items():
        params = SplitSettings.from_keywords(SCENARIO_IDS[name]).scenario
        found[name] = params, parse(ScenarioFindings, values), f"{measured['pictures']}/{params.NAME}.png"
    texts = {"labels": LABELS, "description": _description, "found": found}
    return TEMPLATES.get_template("scenarios.md").render({**measured, **texts}) + "\n"


def _description(params: Any) -> str:
    """The docstring of the parameters up to its sections."""
    text = inspect.cleandoc(type(params).__doc__ or "")
    for section in ("Source:", "Deviation:", "Attributes:", "Raises:"):
        text = text.partition(f"\n{section}")[0]
    return text.strip()


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


@house_style()
def draw_paths(paths: Mapping[str, NDArray], title: str) -> Figure:
    """Draw quantities of several sessions over the requests.

    Args:
        paths: name -> [requests, sessions], see `agents.evaluation.standings.sample_paths`.
        title: of the figure.
    """
    shown = [name for name in PANELS if name in paths]
    figure = Figure(figsize=(7.2, 0.5 + 1.15 * len(shown)), layout=ConstrainedLayoutEngine(w_pad=LABELS_PAD))
    axes = figure.subplots(len(shown), 1, sharex=True)
    for axis, name in zip(axes, shown, strict=True):
        label, factor = PANELS[name]
        for session, values in enumerate(paths[name].T):
            apart = APART * session if name in YES_OR_NO else 0.0
            x, y = range(1, len(values) + 1), factor * values + apart
            axis.step(x, y, where="mid", color=colour_of(session), linewidth=1.1)
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
