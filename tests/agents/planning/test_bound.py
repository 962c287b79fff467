"""The bound against an exact optimum, against policies, and with bad values."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from agents.evaluation.rollouts import evaluate
from agents.planning import bound_rewards, fit_values, levels_of, record_path
from agents.policies import FixedPolicy, Planner, load_policy
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)
FEW = ["semaigc(0)", "semaigc(18)", "edge_aigc"]
SESSIONS = 256
BATTERY = {"name": "battery", "battery_j": (1e3, 4e3)}
QUEUE = {"name": "queue", "interval_s": 2.5}


def environment(scenario: Any, num_envs: int = SESSIONS, **changes: Any) -> SplitVectorEnv:
    return SplitVectorEnv(
        num_envs, **{"profile": PROFILE, "plans": FEW, "scenario": scenario, "episode_length": 6} | changes
    )


def solved(env: SplitVectorEnv) -> tuple[Any, Any]:
    levels = levels_of(env.model, backlog_step_s=0.25, battery_step_j=25.0)
    return levels, fit_values(env.model, levels, 300, seed=1)


@pytest.mark.parametrize("scenario", [QUEUE, BATTERY])
def test_no_policy_passes_it_and_the_planner_comes_near(scenario: Any) -> None:
    env = environment(scenario)
    _, values = solved(env)
    bounds = bound_rewards(env.model, values, record_path(env, seed=3))
    earned = {}
    for name, policy in {
        "planner": Planner(env, values),
        "oracle": load_policy("oracle", env),
        "fixed": FixedPolicy(1),
    }.items():
        served = evaluate(policy, env, 6 * SESSIONS, seed=3)
        earned[name] = served["reward"].reshape(6, SESSIONS).mean(axis=0)
        below = bounds - earned[name]
        assert below.mean() > -3.0 * below.std() / np.sqrt(SESSIONS)  # three standard errors
    assert earned["planner"].mean() > earned["oracle"].mean()
    assert (bounds - earned["planner"]).mean() < 0.05


def test_one_request_is_bounded_by_the_oracle() -> None:
    env = environment(QUEUE, episode_length=1)
    levels = levels_of(env.model, 0.05, 1.0)  # 0.05 s of a requirement of at least 5 s are a reward of 0.01
    values = fit_values(env.model, levels, 10, seed=0)
    above = bound_rewards(env.model, values, record_path(env, seed=5))
    env.reset(seed=5)
    above -= env.expected_rewards().max(axis=1)
    assert (above >= -1e-9).all()
    assert (above <= 0.01).all()


def test_in_a_constant_world_it_is_the_optimum() -> None:
    """Nothing is to be known beforehand and one attempt is sure: the best sequence of plans, found by trying all."""
    constant = {
        "name": "battery",
        "snr_db": 15.0,
        "edge_availability": 0.7,
        "user_availability": 0.7,
        "bandwidth_hz": 1e6,
        "density_factor": 1.0,
        "latency_low_s": 6.0,
        "battery_j": 2.5e3,
    }
    env = environment(constant, num_envs=1, episode_length=4, acceptance={"metric": "ssim", "least": -1e9})
    levels = levels_of(env.model, 1.0, 1.0)
    values = fit_values(env.model, levels, 60, seed=0)
    bound = bound_rewards(env.model, values, record_path(env, seed=0))[0]
    totals = []
    for sequence in product(range(len(FEW)), repeat=4):
        env.reset(seed=0)
        totals.append(sum(float(env.step(np.array([action]))[1][0]) for action in sequence))
    assert bound == pytest.approx(max(totals) / 4, abs=0.01)


def test_it_holds_with_worthless_values_and_good_ones_pay_for_the_luck() -> None:
    env = environment(QUEUE)
    _, values = solved(env)
    path = record_path(env, seed=3)
    good = bound_rewards(env.model, values, path)
    free = bound_rewards(env.model, replace(values, outlooks=np.zeros_like(values.outlooks)), path)
    served = evaluate(Planner(env, values), env, 6 * SESSIONS, seed=3)["reward"].reshape(6, SESSIONS).mean(axis=0)
    below = free - served
    assert below.mean() > -3.0 * below.std() / np.sqrt(SESSIONS)  # three standard errors
    assert good.std() < 0.9 * free.std()


def test_a_finer_grid_is_tighter() -> None:
    env = environment(QUEUE, num_envs=64)
    found = []
    for step_s in (2.0, 0.5):
        levels = levels_of(env.model, step_s, 1.0)
        values = fit_values(env.model, levels, 200, seed=1)
        found.append(bound_rewards(env.model, values, record_path(env, seed=3)).mean())
    assert found[1] < found[0]


def test_the_same_seed_fits_the_same_values_and_another_others() -> None:
    env = environment(QUEUE)
    levels = levels_of(env.model, 2.0, 1.0)
    first, again, other = (fit_values(env.model, levels, 100, seed).outlooks for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_path_is_what_policies_serve() -> None:
    env = environment(BATTERY, num_envs=5)
    path = record_path(env, seed=4)
    served = evaluate(FixedPolicy(2), env, 30, seed=4)
    for name in ("snr_db", "latency_low_s"):
        np.testing.assert_array_equal(np.concatenate([getattr(each.state, name) for each in path]), served[name])
