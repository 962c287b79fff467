"""Maps of what splitting adds, over two quantities of the devices or of the link."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, Margins
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, Judge, PlanLists
from agents.experiments.shared.findings import Row
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, colour_bar, luminance, subplots, write_cells
from agents.reports.style import house_style
from envs import SplitSettings
from envs.checks import Points
from envs.scenario import RequestState

WORTH = 0.02
"""Satisfaction from which on splitting is worth it: the border that is drawn."""
AGAINST = {"": "all opponents", NO_CLOUD: "opponents without the cloud"}
"""Suffix of the lists -> what splitting is compared with."""
CELL_LISTS = tuple(name + suffix for suffix in AGAINST for name in (ALL, CHOSEN))


@dataclass(frozen=True)
class Plane:
    """A plane over which splitting is judged.

    Attributes:
        labels: of the axes.
        x, y: points.
        settings: of the environment.
        place: (states, x, y) -> the states moved there; what is not fixed stays as it was drawn.
    """

    labels: tuple[str, str]
    x: Points
    y: Points
    settings: SplitSettings
    place: Callable[[RequestState, float, float], RequestState]


@dataclass(frozen=True)
class WorthMap:
    """What splitting adds at the points of a plane.

    Attributes:
        plane: where.
        gains: suffix of `AGAINST` -> intervals of the cells, row by row from the lowest y.
    """

    plane: Plane
    gains: Mapping[str, Sequence[Interval]]

    def means(self, suffix: str) -> NDArray[np.float64]:
        """[Y, X]."""
        return np.reshape([each.mean for each in self.gains[suffix]], (len(self.plane.y), len(self.plane.x)))

    def share_worth(self, suffix: str) -> float:
        """Share of the cells in which splitting adds `WORTH` with an interval that is clear of zero."""
        return float(np.mean([each.mean >= WORTH and each.low > 0.0 for each in self.gains[suffix]]))

    @property
    def rows(self) -> list[Row]:
        """The cells, one by one."""
        places = [(x, y) for y in self.plane.y for x in self.plane.x]
        return [
            {"x": x, "y": y, "adds": self.gains[""][index], "adds_no_cloud": self.gains[NO_CLOUD][index]}
            for index, (x, y) in enumerate(places)
        ]


def user_and_edge(base: SplitSettings, user_step_s: Points, edge_availability: Points) -> Plane:
    """Speed of the user's device, all of whose modules slow down alike, and share of the edge that is free.

    The device is the configured one, made as fast as the fastest of the points; slower ones are less available.
    """
    user, fastest = base.user_device, min(user_step_s)
    ratio = fastest / user.step_s
    changed = {
        name: getattr(user, name) * ratio
        for name in ("step_s", "text_encoder_s", "vae_decoder_s", "finetune_step_s", "light_step_s")
        if getattr(user, name) is not None
    }
    if user.compute_flops_per_s is not None:
        changed["compute_flops_per_s"] = user.compute_flops_per_s / ratio
    device = replace(user, name=f"{user.name} x {1 / ratio:.3g}", **changed)

    def place(state: RequestState, step_s: float, free: float) -> RequestState:
        ones = np.ones_like(state.snr_db)
        return state._replace(user_availability=fastest / step_s * ones, edge_availability=free * ones)

    labels = "A step at the user (s)", PACR_LABEL
    return Plane(labels, user_step_s, edge_availability, replace(base, user_device=device), place)


def bandwidth_and_snr(base: SplitSettings, bandwidth_hz: Points, snr_db: Points) -> Plane:
    """Bandwidth and SNR of the link."""

    def place(state: RequestState, width_hz: float, level_db: float) -> RequestState:
        ones = np.ones_like(state.snr_db)
        return state._replace(bandwidth_hz=width_hz * ones, snr_db=level_db * ones)

    return Plane(("Bandwidth (MHz)", SNR_LABEL), bandwidth_hz, snr_db, base, place)


def wish_and_edge(base: SplitSettings, latency_low_s: Points, edge_availability: Points) -> Plane:
    """How soon an image is wanted, and share of the edge that is free."""

    def place(state: RequestState, wish_s: float, free: float) -> RequestState:
        ones = np.ones_like(state.snr_db)
        most_s = base.scenario.latency_high_ratio * wish_s
        return state._replace(latency_low_s=wish_s * ones, latency_high_s=most_s * ones, edge_availability=free * ones)

    return Plane(("Latency that is wished (s)", PACR_LABEL), latency_low_s, edge_availability, base, place)


def sampled_state(model: Any, num_states: int, seed: int) -> RequestState:
    """States of the stationary distribution."""
    scenario = model.new_scenario()
    scenario.reset(num_states, np.random.default_rng(seed))
    return scenario.state


def gains_at(judge: Judge, state: RequestState) -> Margins:
    """What splitting adds in some states, for each entry of `AGAINST`, [2]."""
    found = judge.optima(judge.model.observe(state), CELL_LISTS).earned
    each = [found[ALL + suffix] - found[CHOSEN + suffix] for suffix in AGAINST]
    return Margins(np.stack([one.by_state for one in each]), np.stack([one.by_request for one in each]))


def worth_map(plane: Plane, lists: PlanLists, num_states: int, seed: int, step: Callable[[], Any]) -> WorthMap:
    """Judge splitting at every point of a plane, in the same states but for what is fixed there.

    Args:
        plane: where.
        lists: of plans.
        num_states: at each point.
        seed: of the states.
        step: called after every point.
    """
    judge = Judge.of(plane.settings, lists)
    state = sampled_state(judge.model, num_states, seed)
    cells = []
    for y in plane.y:
        for x in plane.x:
            cells.append(gains_at(judge, plane.place(state, x, y)))
            step()
    margins = Margins(*(np.stack([getattr(cell, name) for cell in cells]) for name in ("by_state", "by_request")))
    gains = {suffix: margins[:, index].intervals() for index, suffix in enumerate(AGAINST)}
    return WorthMap(plane, gains)


@house_style()
def draw_worth_maps(maps: Sequence[WorthMap]) -> Figure:
    """Maps beside each other, with the border from which on splitting is worth it; without the cloud below."""
    figure, panels = subplots(3.8 * len(maps), 6.0, len(AGAINST), len(maps), squeeze=False, sharex="col", sharey="col")
    most = max(2 * WORTH, *(each.means(suffix).max() for each in maps for suffix in AGAINST))
    for row, (suffix, words) in zip(panels, AGAINST.items(), strict=True):
        for panel, each in zip(row, maps, strict=True):
            mesh = _draw(panel, each, suffix, most)
            panel.set_title(f"against {words}")
            panel.set_ylabel(each.plane.labels[1])
    for panel, each in zip(panels[-1], maps, strict=True):
        panel.set_xlabel(each.plane.labels[0])
    colour_bar(figure, mesh, panels, f"Splitting adds to satisfaction (line: {WORTH:g})")
    return figure


def _draw(panel: Axes, map_: WorthMap, suffix: str, most: float) -> Any:
    means, plane = map_.means(suffix), map_.plane
    across, up = np.arange(len(plane.x)), np.arange(len(plane.y))
    mesh = panel.pcolormesh(across, up, means, cmap="Blues", vmin=0.0, vmax=most, shading="nearest")
    rounded = means.round(3) + 0.0  # no minus before a zero
    write_cells(panel, across, up, rounded, "{:.3f}", luminance(mesh.to_rgba(means)) <= 0.5, size=5.5)
    if min(means.shape) > 1 and means.min() < WORTH < means.max():
        panel.contour(across, up, means, [WORTH], colors="#D55E00", linewidths=2.0)
    scale = 1e-6 if plane.labels[0].endswith("(MHz)") else 1.0
    panel.set_xticks(across, [f"{scale * x:.2g}" for x in plane.x])
    panel.set_yticks(up, [f"{y:g}" for y in plane.y])
    return mesh
