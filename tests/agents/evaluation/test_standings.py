"""How policies stand in a scenario."""

from __future__ import annotations

from typing import Any

import pytest

from agents.evaluation.standings import measure_scenario
from envs import SplitSettings
from tests.profiles import synthetic_profile

pytestmark = pytest.mark.usefixtures("small_search")
PROFILE = synthetic_profile(num_requests=4)
FEW = ["semaigc(0)", "semaigc(10)", "semaigc(18)", "edge_aigc"]


def settings(scenario: Any = "paper", **changes: Any) -> SplitSettings:
    return SplitSettings(**{"profile": PROFILE, "plans": FEW, "scenario": scenario} | changes)


def test_policies_of_a_scenario_serve_the_same_requests() -> None:
    found = measure_scenario(settings("battery"), 16, 640, 80, seed=5)
    assert [row.policy for row in found.rows] == ["priced", "oracle", "two_plans", "best_fixed"]
    again = measure_scenario(settings("battery"), 16, 640, 80, seed=5)
    assert found == again
    assert found.rows[2].over_two_plans.mean == 0.0
    assert found.price_over_oracle is not None
    assert found.over_rule.mean == pytest.approx(found.rows[1].satisfaction.mean - found.rows[2].satisfaction.mean)
    assert measure_scenario(settings(), 16, 320, 80, seed=5).price_over_oracle is None


def test_a_scenario_without_choice_is_called_degenerate() -> None:
    alone = settings(plans=["semaigc(10)", "semaigc(11)"], scenario={"latency_low_s": 20.0, "latency_high_ratio": 9.0})
    assert measure_scenario(alone, 8, 160, 80, seed=0).is_degenerate
