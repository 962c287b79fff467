from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from envs import SplitVectorEnv
from envs.quality import first_acceptable, first_success_weights
from envs.transceiver.profile.profile import QualityProfile

MIXED = ["semaigc(0)", "semaigc(8)", "semaigc(18)", "semaigc(20)", "edge_aigc", "local_aigc"]


@pytest.mark.parametrize(("draws", "attempts"), [(3, 3), (6, 3), (5, 1), (4, 2)])
def test_first_success_weights_count_all_orders(draws: int, attempts: int) -> None:
    weights = first_success_weights(draws, attempts)
    orders = np.array(list(permutations(range(draws), attempts)))
    for successes in range(draws + 1):
        hits = orders < successes
        first = [np.mean(hits[:, j] & ~hits[:, :j].any(axis=1)) for j in range(attempts)]
        np.testing.assert_allclose(weights[successes], first, atol=1e-12)


def test_first_acceptable() -> None:
    rejected = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1]], dtype=bool)
    attempts, accepted = first_acceptable(rejected)
    assert attempts.tolist() == [1, 2, 3, 3]
    assert accepted.tolist() == [True, True, True, False]


@pytest.mark.parametrize("reward", ["satisfaction", "qoe"])
@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"snr_db": 3.0, "edge_availability": 0.6, "latency_low_s": 10.0},
        {"snr_db": -4.5, "user_availability": 1.0, "latency_low_s": 12.5},
    ],
    ids=["paper", "3 dB", "-4.5 dB"],
)
def test_expected_rewards_agree_with_sampled_outcomes(
    profile: QualityProfile, overrides: dict[str, float], reward: str
) -> None:
    """Within 4.5 standard errors of the mean reward of 40 x 2,000 steps, for each of six plans."""
    env = SplitVectorEnv(2_000, profile=profile, plans=MIXED, scenario=overrides, reward=reward)
    obs, _ = env.reset(seed=11)
    rng = np.random.default_rng(5)
    errors: list[list[float]] = [[] for _ in MIXED]
    for _ in range(40):
        actions = rng.integers(len(MIXED), size=env.num_envs)
        expected = env.model.expected_rewards(obs)[np.arange(env.num_envs), actions]
        obs, paid, _, _, _ = env.step(actions)
        for action, error in zip(actions, paid - expected, strict=True):
            errors[action].append(error)
    for sample in errors:
        assert abs(np.mean(sample)) < 4.5 * np.std(sample) / np.sqrt(len(sample)) + 1e-6


def test_expected_rewards_agree_with_the_enumeration_of_requests_and_orders(profile: QualityProfile) -> None:
    env = SplitVectorEnv(3, profile=profile, plans=MIXED)
    obs, info = env.reset(seed=2)
    state, model = info["state"], env.model
    prices = model.costs.price(env.core.state.link)
    once_s, repeat_s = prices.once_s.total, prices.repeat_s.total
    for row in range(3):
        low_s, snr_db = state["latency_low_s"][row], state["snr_db"][row]
        for action, plan in enumerate(model.plans):
            rewards = []
            for request in range(len(profile.requests)):
                if plan.split is None:
                    values = np.full(6, profile.reference("alignment")[request])
                else:
                    values = profile.interpolate("finetuned", "alignment", request, plan.split, snr_db, np.arange(6))
                for order in permutations(range(6), 3):
                    hits = np.flatnonzero(values[list(order)] >= 0.9)
                    latency_s = once_s[row, action] + (hits[0] + 1 if len(hits) else 9e9) * repeat_s[row, action]
                    score = np.clip(2.0 - latency_s / low_s, 0.0, 1.0)
                    rewards.append(score if len(hits) and latency_s <= 60.0 else 0.0)
            expected = model.expected_rewards(obs[row])
            assert expected.shape == (len(MIXED),)
            assert expected[action] == pytest.approx(np.mean(rewards), abs=1e-5)  # float32 observation


def test_chunks_do_not_change_the_result(profile: QualityProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    env = SplitVectorEnv(50, profile=profile)
    obs, _ = env.reset(seed=0)
    whole = env.model.expected_rewards(obs)
    monkeypatch.setattr("envs.expected.CHUNK_VALUES", 7 * 21 * 8 * 6)
    np.testing.assert_array_equal(env.model.expected_rewards(obs), whole)
    assert env.model.expected_rewards(obs.reshape(5, 10, 7)).shape == (5, 10, 21)


@pytest.mark.parametrize("reward", ["satisfaction", "qoe", "vector"])
def test_realised_rewards_are_what_every_action_would_get(profile: QualityProfile, reward: str) -> None:
    plans = ["semaigc", "edge_aigc", "local_aigc"]
    envs = [SplitVectorEnv(16, profile=profile, plans=plans, reward=reward) for _ in range(23)]
    for _ in range(3):
        for action, env in enumerate(envs):
            env.reset(seed=4)
            realised = env.realised_rewards()
            assert realised.shape[:2] == (16, 23)
            for _ in range(2):
                realised = env.realised_rewards()
                paid = env.step(np.full(16, action))[1]
                np.testing.assert_array_equal(paid, realised[:, action])
