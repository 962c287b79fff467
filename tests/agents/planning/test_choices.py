from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.planning.levels import levels_of
from agents.planning.paths import present_moment
from agents.planning.values import choices_at
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)
PLANS = ["semaigc(0)", "semaigc(10)", "semaigc(20)", "edge_aigc"]


@pytest.mark.parametrize("scenario", ["queue", {"name": "battery", "battery_j": (200.0, 2e3)}])
def test_rewards_are_the_environments_at_levels_on_the_grid(scenario: Any) -> None:
    env = SplitVectorEnv(40, profile=PROFILE, plans=PLANS, scenario=scenario)
    env.reset(seed=0)
    levels = levels_of(env.model, 0.02, 1.0)  # 0.02 s of a requirement of at least 5 s are a reward of 0.004
    state = present_moment(env).state
    index = levels.index(state.features[levels.name])[:, None]
    np.testing.assert_allclose(
        choices_at(env.model, levels, state, index).rewards[:, 0], env.expected_rewards(), atol=0.004
    )


@pytest.mark.parametrize(("scenario", "name"), [("queue", "backlog_s"), ("battery", "battery_j")])
def test_levels_after_a_decision_are_no_worse_than_the_environments(scenario: str, name: str) -> None:
    env = SplitVectorEnv(60, profile=PROFILE, plans=PLANS, scenario=scenario)
    env.reset(seed=1)
    levels = levels_of(env.model, 0.5, 50.0)
    state = present_moment(env).state
    choices = choices_at(env.model, levels, state, levels.index(state.features[name])[:, None])
    np.testing.assert_allclose(choices.chances.sum(axis=-1), 1.0)
    actions = np.arange(60) % len(PLANS)
    before = state.features[name]
    *_, info = env.step(actions)
    after = choices.after[np.arange(60), 0, actions, np.maximum(info["attempts"], 1) - 1] * levels.step
    if name == "battery_j":
        now = env.core.state.features[name]
        assert (after >= now - 1e-9).all()
        assert (after <= now + 2 * levels.step).all()
    else:
        real = before + info["latency_parts_s"]["edge"]
        assert (after <= real + 1e-9).all()
        assert (after >= real - 2 * levels.step).all()


def test_better_levels_earn_no_less() -> None:
    for scenario, better in (("queue", -1), ("battery", 1)):
        env = SplitVectorEnv(5, profile=PROFILE, plans=PLANS, scenario=scenario)
        env.reset(seed=2)
        levels = levels_of(env.model, 2.0, 500.0)
        state = present_moment(env).state
        rewards = choices_at(env.model, levels, state, np.arange(levels.num)[None]).rewards
        assert (better * np.diff(rewards, axis=1) >= -1e-12).all()
