"""What splitting adds over the load of a queue and over the charge of a battery, by planners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.planned import Planned, PlannerSizes, planned
from agents.evaluation.statistics import Interval
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, PlanLists
from agents.experiments.shared.findings import Row
from agents.experiments.shared.worth.maps import AGAINST, CELL_LISTS, WORTH
from agents.reports.drawing import draw_intervals, subplots
from agents.reports.style import GREY, colour_of, house_style
from envs import SplitSettings
from envs.checks import Points
from envs.scenario import BatteryParams, QueueParams


@dataclass(frozen=True)
class Sweep:
    """Planners at the points of one quantity, on sessions that share all the rest.

    Attributes:
        label: of the quantity, in words.
        points: of it.
        settings: of the environment at each point.
        found: what the planners have there, without splits and with all plans.
    """

    label: str
    points: Points
    settings: Sequence[SplitSettings]
    found: Sequence[Planned]

    def adds(self, suffix: str) -> list[Interval]:
        """What splitting adds at each point."""
        return [each.adds(cloud=not suffix) for each in self.found]

    def session_gains(self, suffix: str) -> NDArray[np.float64]:
        """The same of every session, [N, points]."""
        return np.stack([each.session_gain(ALL + suffix, CHOSEN + suffix) for each in self.found], axis=1)

    @property
    def rows(self) -> list[Row]:
        """The points, one by one."""
        return [
            {
                "quantity": self.label,
                "value": point,
                "opponents": each.mean(CHOSEN),
                "adds": each.adds(),
                "opponents_no_cloud": each.mean(CHOSEN + NO_CLOUD),
                "adds_no_cloud": each.adds(cloud=False),
                "joules_per_image_opponents_no_cloud": each.joules_per_image(CHOSEN + NO_CLOUD),
                "joules_per_image_all_no_cloud": each.joules_per_image(ALL + NO_CLOUD),
            }
            for point, each in zip(self.points, self.found, strict=True)
        ]


def sweep_load(
    base: SplitSettings,
    lists: PlanLists,
    sizes: PlannerSizes,
    interval_s: Points,
    seed: int,
    step: Callable[[], Any],
) -> Sweep:
    """A queue from heavy load to light: the mean time between requests, whose users have devices of their own."""
    settings = [replace(base, scenario=QueueParams(interval_s=each)) for each in interval_s]
    found = _found(settings, lists, sizes, seed, step)
    return Sweep("seconds between requests (queue)", interval_s, settings, found)


def sweep_charge(
    base: SplitSettings,
    lists: PlanLists,
    sizes: PlannerSizes,
    charge_j: Points,
    seed: int,
    step: Callable[[], Any],
) -> Sweep:
    """A limit of the user's joules a session, drawn between half and one and a half of its mean."""
    settings = [replace(base, scenario=BatteryParams(battery_j=(0.5 * each, 1.5 * each))) for each in charge_j]
    found = _found(settings, lists, sizes, seed, step)
    return Sweep("mean joules at the user (battery)", charge_j, settings, found)


def _found(
    settings: Sequence[SplitSettings], lists: PlanLists, sizes: PlannerSizes, seed: int, step: Callable[[], Any]
) -> list[Planned]:
    found = []
    for each in settings:
        found.append(planned(each, lists, sizes, seed, CELL_LISTS))
        step()
    return found


@house_style()
def draw_sweeps(sweeps: Mapping[str, Sequence[Sweep]]) -> Figure:
    """What splitting adds along each sweep, a line for every rule of acceptance, with the cloud and without."""
    first = next(iter(sweeps.values()))
    figure, panels = subplots(7.6, 3.0, 1, len(first), squeeze=False, sharey=True)
    for position, (rule, each) in enumerate(sweeps.items()):
        for panel, sweep in zip(panels[0], each, strict=True):
            for suffix, line in zip(AGAINST, (":", "-"), strict=True):
                words = "without the cloud" if suffix else "with the cloud"
                style = {"color": colour_of(position), "linestyle": line, "marker": "o", "label": f"{rule}, {words}"}
                draw_intervals(panel, sweep.points, sweep.adds(suffix), **style)
    for panel, sweep in zip(panels[0], first, strict=True):
        panel.axhline(WORTH, color=GREY, linewidth=0.8, linestyle="--")
        panel.set_xscale("log")
        panel.set_xticks(sweep.points, [f"{point:g}" for point in sweep.points])
        panel.minorticks_off()
        panel.set_xlabel(sweep.label[0].upper() + sweep.label[1:])
    panels[0, 0].set_ylabel("Splitting adds to satisfaction")
    panels[0, 0].legend(fontsize=7)
    return figure
