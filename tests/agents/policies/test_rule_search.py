"""Rules and prices that are found by serving requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents import load_policy
from agents.policies import FixedPolicy, Oracle
from agents.policies.rule_search import Priced, RuleSearch, TwoPlans, best_prices
from envs import SplitSettings, SplitVectorEnv
from tests.profiles import synthetic_profile

pytestmark = pytest.mark.usefixtures("small_search")
PROFILE = synthetic_profile(num_requests=4)
FEW = ["semaigc(0)", "semaigc(10)", "semaigc(18)", "edge_aigc"]


def settings(scenario: Any = "paper", **changes: Any) -> SplitSettings:
    return SplitSettings(**{"profile": PROFILE, "plans": FEW, "scenario": scenario} | changes)


def test_two_plans_switch_at_their_threshold_on_any_quantity() -> None:
    observations = np.zeros((3, 8), dtype=np.float32)
    observations[:, 7] = [0.1, 0.5, 0.9]
    assert TwoPlans(7, 2, 3, 0.5).predict(observations)[0].tolist() == [2, 3, 3]


def test_the_search_finds_the_best_of_what_it_tries() -> None:
    search = RuleSearch(settings(), num_requests=400, seed=3)
    fixed = search.best_fixed()
    rewards = [search.mean_reward(TwoPlans(0, action, action, 0.5)) for action in range(len(FEW))]
    assert fixed.action == int(np.argmax(rewards))
    rule = search.two_plans()
    assert search.names[rule.index] == "edge_capability_hz"
    assert search.mean_reward(rule) >= max(rewards)


def test_prices_are_sought_where_decisions_reach_further() -> None:
    assert best_prices(RuleSearch(settings(), 40, 0)) == {}
    assert set(best_prices(RuleSearch(settings("queue"), 40, 0))) == {"per_edge_s"}
    assert set(best_prices(RuleSearch(settings("battery"), 40, 0))) == {"per_user_j"}


def test_rules_by_name_know_of_the_queue() -> None:
    """Always taking 18 steps at the edge is best on first requests, whose queue is nearly empty, and then piles up."""
    env = SplitVectorEnv(8, profile=PROFILE, scenario={"name": "queue", "interval_s": 2.0})
    fixed, rule = load_policy("best_fixed", env), load_policy("two_split", env)
    assert isinstance(fixed, FixedPolicy)
    search = RuleSearch.for_model(env.model, 2_000, seed=9)
    assert search.mean_reward(fixed) > search.mean_reward(FixedPolicy(18)) + 0.1
    assert isinstance(rule, TwoPlans)
    assert search.mean_reward(rule) >= search.mean_reward(fixed)


def test_a_price_of_nothing_is_the_oracle_and_a_high_one_spares_the_resource() -> None:
    env = SplitVectorEnv(200, settings("queue"))
    observations, _ = env.reset(seed=0)
    np.testing.assert_array_equal(Priced(env).actions(observations), Oracle(env.model).actions(observations))
    assert not Priced(env, per_edge_s=10.0).actions(observations).any()  # semaigc(0) takes no second of the edge
    drained = SplitVectorEnv(200, settings({"name": "battery", "battery_j": 300.0}))
    observations, _ = drained.reset(seed=0)
    chosen = Priced(drained, per_user_j=1e-5).actions(observations)
    assert drained.action_masks()[np.arange(200), chosen].all()
