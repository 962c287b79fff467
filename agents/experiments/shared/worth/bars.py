"""Bars of what the optima over opponents, splits and all plans reach."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, SPLITS, Compared
from agents.reports.drawing import subplots
from agents.reports.style import GREY, OKABE_ITO, house_style

SHOWN = {
    CHOSEN + NO_CLOUD: ("opponents", GREY),
    SPLITS: ("splits", OKABE_ITO[5]),
    ALL + NO_CLOUD: ("all", OKABE_ITO[0]),
}
"""List -> label and colour of its bar, from above."""
HEIGHT = 0.26


@house_style()
def draw_worth_bars(found: Mapping[str, Mapping[str, Compared]]) -> Figure:
    """Draw scenarios below each other and rules of acceptance beside each other; the cloud is a line.

    Args:
        found: rule -> scenario -> the optima.
    """
    scenarios = list(dict.fromkeys(name for each in found.values() for name in each))
    width, height = 1.2 + 3.6 * len(found), 0.9 + 0.62 * len(scenarios)
    figure, panels = subplots(width, height, 1, len(found), squeeze=False, sharey=True)
    for panel, (rule, own) in zip(panels[0], found.items(), strict=True):
        for position, scenario in enumerate(scenarios):
            if scenario in own:
                _draw_scenario(panel, position, own[scenario])
        panel.set(xlabel="Satisfaction (right: what splitting adds)", title=rule, xlim=(0.0, 1.16))
        panel.set_yticks(range(len(scenarios)), scenarios)
        panel.grid(visible=False, axis="y")
        panel.set_axisbelow(True)
    panels[0, 0].invert_yaxis()
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _draw_scenario(panel: Axes, position: int, found: Compared) -> None:
    for row, (name, (label, colour)) in enumerate(SHOWN.items(), start=-1):
        value, place = found.mean(name), position + row * HEIGHT
        panel.barh(place, value.mean, height=0.9 * HEIGHT, color=colour, label=label if position == 0 else None)
        panel.plot([value.low, value.high], [place, place], color="black", linewidth=0.9)
    cloud, ends = found.mean(CHOSEN).mean, [position - 0.4, position + 0.4]
    panel.plot([cloud, cloud], ends, color=OKABE_ITO[1], label="opponents with the cloud" if position == 0 else None)
    panel.text(1.03, position, f"{found.adds(cloud=False).mean:+.3f}", va="center", fontsize=7)
