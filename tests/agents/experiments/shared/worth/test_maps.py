"""Maps of what splitting adds: the devices and links at their points, and the border."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.evaluation.statistics import Interval
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, Judge, plan_lists
from agents.experiments.shared.worth.maps import (
    WorthMap,
    bandwidth_and_snr,
    draw_worth_maps,
    gains_at,
    sampled_state,
    user_and_edge,
    wish_and_edge,
    worth_map,
)
from envs import SplitSettings, costs, plans
from tests.profiles import honest_profile

BASE = SplitSettings(profile=honest_profile(num_requests=4, steps=(20,), light=0.2), requests="test")
LISTS = plan_lists(BASE)


def test_a_point_of_the_devices_has_their_seconds() -> None:
    plane = user_and_edge(BASE, [0.1, 0.8], [0.25, 0.5])
    judge = Judge.of(plane.settings, LISTS)
    state = plane.place(sampled_state(judge.model, 3, 0), 0.8, 0.25)
    shown = judge.model.observation.to_state(judge.model.observe(state))
    seconds = judge.model.costs.price(judge.model.costs.link_shown(shown)).bill(1).parts_s
    user = replace(costs.GTX_1080_TI, **dict.fromkeys(("step_s",), 0.8))
    ratio = 0.8 / costs.GTX_1080_TI.step_s
    expected = state.density_factor * 20 * user.step_s + ratio * (0.75 + 1.196)
    np.testing.assert_allclose(seconds.user[:, judge.model.action_of("local_aigc")], expected, rtol=1e-5)
    edge = (0.75 + 1.196 + state.density_factor * 20 * 0.2) / 0.25
    np.testing.assert_allclose(seconds.edge[:, judge.model.action_of("edge_aigc_webp")], edge, rtol=1e-5)


def test_a_point_of_the_link_has_its_rate() -> None:
    plane = bandwidth_and_snr(BASE, [0.1e6, 20e6], [-12.0, 15.0])
    judge = Judge.of(plane.settings, LISTS)
    state = plane.place(sampled_state(judge.model, 3, 0), 0.1e6, 15.0)
    link_s = judge.model.costs.price(state.link).bill(1).parts_s.link[:, judge.model.action_of("semaigc(12)")]
    expected = costs.price(plans.semaigc(12), snr_db=15.0, bandwidth_hz=0.1e6).latency_parts_s["link"]
    np.testing.assert_allclose(link_s, expected)


def test_a_point_of_the_wishes_keeps_their_ratio() -> None:
    plane = wish_and_edge(BASE, [1.0, 4.0], [0.25, 0.5])
    state = plane.place(sampled_state(Judge.of(BASE, LISTS).model, 3, 0), 4.0, 0.5)
    np.testing.assert_allclose(state.latency_low_s, 4.0)
    np.testing.assert_allclose(state.latency_high_s, 8.0)
    np.testing.assert_allclose(state.edge_availability, 0.5)


def test_cells_are_the_gains_at_their_points() -> None:
    plane = bandwidth_and_snr(BASE, [0.1e6, 20e6], [-12.0, 0.0, 15.0])
    steps = []
    found = worth_map(plane, LISTS, 12, seed=5, step=lambda: steps.append(1))
    judge = Judge.of(plane.settings, LISTS)
    state = sampled_state(judge.model, 12, 5)
    gain = gains_at(judge, plane.place(state, 20e6, -12.0)).intervals()
    assert found.means("")[0, 1] == pytest.approx(gain[0].mean)
    assert found.means(NO_CLOUD)[0, 1] == pytest.approx(gain[1].mean)
    best = judge.optima(judge.model.observe(plane.place(state, 20e6, -12.0)), (ALL, CHOSEN))
    assert gain[0].mean == pytest.approx(best.adds().mean)
    assert len(steps) == len(found.rows) == 6
    assert (found.rows[1]["x"], found.rows[1]["y"]) == (20e6, -12.0)


def test_the_border_is_drawn_where_splitting_becomes_worth_it() -> None:
    plane = bandwidth_and_snr(BASE, [1e6, 2e6, 3e6], [0.0, 5.0])
    low, high = Interval(0.0, 0.0, 0.0), Interval(0.06, 0.05, 0.07)
    cells = {"": [low] * 6, NO_CLOUD: [low, high, low, Interval(0.06, -0.01, 0.1), low, low]}
    found = WorthMap(plane, cells)
    assert found.share_worth("") == 0.0
    assert found.share_worth(NO_CLOUD) == pytest.approx(1 / 6)  # the other is not clear of zero
    without, with_border = draw_worth_maps([found]).axes[:2]
    assert len(with_border.collections) == len(without.collections) + 1
