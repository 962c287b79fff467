from __future__ import annotations

import numpy as np
import pytest

from agents import evaluate, load_policy, paired_difference
from agents.policies import FixedPolicy, RandomPolicy
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)


def vector_env(num_envs: int = 4, episode_length: int = 5) -> SplitVectorEnv:
    return SplitVectorEnv(num_envs, profile=PROFILE, episode_length=episode_length)


def test_all_policies_get_the_same_requests() -> None:
    runs = [
        evaluate(policy, vector_env(), 60, seed=3) for policy in (FixedPolicy(0), FixedPolicy(12), RandomPolicy(21))
    ]
    for name in ("snr_db", "bandwidth_hz", "edge_availability", "latency_low_s", "request", "episode"):
        assert np.array_equal(runs[0][name], runs[1][name])
        assert np.array_equal(runs[0][name], runs[2][name])
    assert not np.array_equal(runs[0]["latency_s"], runs[1]["latency_s"])
    again, other = (evaluate(FixedPolicy(0), vector_env(), 60, seed=seed) for seed in (3, 4))
    assert all(np.array_equal(again[name], runs[0][name]) for name in again)
    assert not np.array_equal(other["snr_db"], again["snr_db"])


def test_columns_agree_with_each_other() -> None:
    rows = evaluate(FixedPolicy(12), vector_env(), 47, seed=0)
    assert {values.shape for values in rows.values()} == {(47,)}
    assert (rows["action"] == 12).all()
    parts = rows["latency_edge_s"] + rows["latency_link_s"] + rows["latency_user_s"]
    assert parts == pytest.approx(rows["latency_s"])
    assert np.array_equal(rows["reward"], rows["satisfaction"])
    assert (rows["reward"][rows["failed"]] == 0).all()
    assert ((rows["alignment"] >= 0.9) == rows["accepted"]).all()


def test_sessions_are_labelled() -> None:
    episodes = evaluate(FixedPolicy(0), vector_env(4, episode_length=5), 60, seed=0)["episode"]
    assert episodes[:8].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert np.bincount(episodes).tolist() == [5] * 12


def test_clairvoyant_beats_the_oracle_on_every_request_it_differs() -> None:
    env = vector_env(16)
    best, expected = (evaluate(load_policy(name, env), env, 400, seed=0) for name in ("clairvoyant", "oracle"))
    assert (best["reward"] >= expected["reward"]).all()
    assert paired_difference(best["reward"], expected["reward"], best["episode"]).low > 0


def test_mean_reward_of_the_oracle_is_the_expected_one() -> None:
    env = vector_env(200)
    rows = evaluate(load_policy("oracle", env), env, 20_000, seed=0)
    scenario = env.model.new_scenario()
    scenario.reset(20_000, np.random.default_rng(1))
    expected = env.model.expected_rewards(env.model.observe(scenario.state)).max(axis=1).mean()
    assert rows["reward"].mean() == pytest.approx(expected, abs=0.02)


def test_sessions_must_start_anew_in_the_same_step() -> None:
    with pytest.raises(ValueError, match="autoreset_mode must be SameStep, got AutoresetMode.NEXT_STEP"):
        evaluate(FixedPolicy(0), SplitVectorEnv(2, profile=PROFILE, autoreset_mode="NextStep"), 4, seed=0)


def test_no_request_is_refused() -> None:
    with pytest.raises(ValueError, match="num_requests"):
        evaluate(FixedPolicy(0), vector_env(), 0, seed=0)
