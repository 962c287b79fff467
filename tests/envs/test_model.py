"""The one pipeline from plans to rewards: what it gives for an outcome, in the mean, and for every action at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from envs import SplitSettings, SplitVectorEnv
from envs.costs import Prices
from envs.model import Offer, SplitModel
from envs.transceiver.profile.profile import ProfilePart, QualityProfile
from tests.profiles import interpolate, profile_with, synthetic_profile

MIXED = ["semaigc(0)", "semaigc(8)", "semaigc(18)", "semaigc(20)", "edge_aigc", "local_aigc"]


def some_prices(latency_s: list[float]) -> Prices:
    """Plans that hold the edge for so long, in one attempt; 300 W there, 250 W at the user."""
    seconds = np.zeros((2, 3, len(latency_s)))
    seconds[1, 0] = latency_s
    return Prices(seconds, seconds, 300.0, 250.0)


LOW_S, HIGH_S = np.array(50.0), np.array(100.0)


def test_what_is_not_accepted_or_too_late_has_failed(profile: QualityProfile) -> None:
    model = SplitModel(SplitSettings(profile=profile))
    offer = Offer(some_prices([5.0, 5.0, 60.0, 60.001]), None, None)
    accepted = np.array([True, False, True, True])
    settled = model.settle(offer, 1, accepted, {}, LOW_S, HIGH_S)
    assert settled.failed.tolist() == [False, True, False, True]
    np.testing.assert_allclose(settled.reward, [1.0, 0.0, 0.8, 0.0])
    np.testing.assert_allclose(settled.energy_j, 300.0 * settled.latency_s)
    twice = model.settle(offer, 2, accepted, {}, LOW_S, HIGH_S)
    np.testing.assert_allclose(twice.latency_s, 2 * settled.latency_s)
    assert twice.failed.tolist() == [False, True, True, True]


def test_waiting_takes_time_and_no_energy(profile: QualityProfile) -> None:
    model = SplitModel(SplitSettings(profile=profile))
    settled = model.settle(Offer(some_prices([10.0, 10.0]), np.array([0.0, 55.0]), None), 1, True, {}, LOW_S, HIGH_S)
    np.testing.assert_allclose(settled.latency_s, [10.0, 65.0])
    np.testing.assert_allclose(settled.parts_s.total, [10.0, 10.0])
    np.testing.assert_allclose(settled.energy_j, [3000.0, 3000.0])
    assert settled.failed.tolist() == [False, True]


def test_an_impossible_plan_fails_at_the_latest_and_spends_nothing(profile: QualityProfile) -> None:
    env = SplitVectorEnv(2, profile=profile, scenario="battery", plans=["edge_aigc", "local_aigc"], reward="qoe")
    env.reset(seed=0)
    model, link = env.model, env.core.state.link
    features = {"battery_j": np.array([[0.0], [1e6]])}
    offer = model.offer(features, model.costs.price(link))
    assert offer.possible is not None
    assert offer.possible.tolist() == [[True, False], [True, True]]
    images = {name: np.ones((2, 2)) for name in model.reward.metrics}
    settled = model.settle(offer, 1, True, images, LOW_S, HIGH_S)
    assert settled.failed.tolist() == (~offer.possible).tolist()
    assert (settled.latency_s[0, 1], settled.energy_j[0, 1], settled.reward[0, 1]) == (0.0, 0.0, -0.25 - 0.25)
    assert np.all(settled.latency_s[offer.possible] > 0.0)


@pytest.mark.parametrize("reward", ["satisfaction", "qoe", "vector"])
def test_the_mean_reward_is_that_over_attempts_by_their_chances(profile: QualityProfile, reward: str) -> None:
    model = SplitModel(SplitSettings(profile=profile, reward=reward))
    offer = Offer(some_prices([20.0, 25.0]), np.array([0.0, 7.0]), None)
    chances = np.array([[0.5, 0.25, 0.125], [0.0, 1.0, 0.0]])
    images = {name: np.random.default_rng(0).uniform(size=(2, 3)) for name in model.reward.metrics}
    means = model.mean_reward(offer, chances, images, LOW_S)
    expected = np.zeros_like(means)
    for attempt in range(3):
        shown = {name: values[:, attempt] for name, values in images.items()}
        settled = model.settle(offer, attempt + 1, True, shown, LOW_S, HIGH_S)
        expected += (chances[:, attempt] * settled.reward.T).T
    refused = model.settle(offer, 3, False, {name: np.zeros(2) for name in images}, LOW_S, HIGH_S)
    expected += ((1.0 - chances.sum(axis=1)) * refused.reward.T).T
    np.testing.assert_allclose(means, expected, rtol=1e-12)


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
            for request in range(len(profile.part("train").requests)):
                if plan.name in ("edge_aigc", "local_aigc"):
                    values = np.full(6, profile.part("train").reference(20, "alignment")[request])
                else:
                    split, draws = plan.edge_steps, np.arange(6)
                    values = interpolate(profile, "finetuned", "alignment", request, split, snr_db, draws)
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
    monkeypatch.setattr("envs.model.CHUNK_VALUES", 7 * 21 * 8 * 6)
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


@pytest.mark.parametrize("reward", ["satisfaction", "qoe", "vector"])
def test_rewards_by_request_are_those_whose_mean_is_expected(profile: QualityProfile, reward: str) -> None:
    model = SplitModel(SplitSettings(profile=profile, reward=reward))
    env = SplitVectorEnv(5, profile=profile, reward=reward)
    observations = env.reset(seed=3)[0]
    each = model.expected_rewards(observations, by_request=True)
    expected = model.expected_rewards(observations)
    assert each.shape == (8, *expected.shape)
    np.testing.assert_allclose(each.mean(axis=0), expected, atol=1e-12)
    alone = [
        SplitModel(SplitSettings(profile=profile_with(only(profile, row)), reward=reward)).expected_rewards(
            observations
        )
        for row in (0, 5)
    ]
    np.testing.assert_allclose(each[[0, 5]], alone, atol=1e-12)


def only(profile: QualityProfile, row: int) -> ProfilePart:
    part = profile.part("train")
    tables = {
        key: replace(
            table, measured=table.measured[:, [row]], noise_free=table.noise_free[:, [row]], rows=np.array([0])
        )
        for key, table in part.tables.items()
    }
    references = {steps: values[:, [row]] for steps, values in part.references.items()}
    return ProfilePart("train", (part.requests[row],), references, tables)


def test_the_environment_serves_the_part_that_it_is_asked_for(profile: QualityProfile) -> None:
    prompts = {}
    for name in ("train", "test", "all"):
        model = SplitModel(SplitSettings(profile=profile, requests=name))
        prompts[name] = {request.prompt for request in model.requests}
        assert model.quality.num_requests == len(model.requests)
    assert prompts["all"] == prompts["train"] | prompts["test"]
    assert not prompts["train"] & prompts["test"]
    assert SplitModel(SplitSettings(profile=profile)).requests == profile.part("train").requests
    with pytest.raises(ValueError, match="unknown requests 'dev'; allowed: train, test, all"):
        SplitSettings(profile=profile, requests="dev")


def test_another_number_of_steps_is_another_list_of_splits() -> None:
    held = synthetic_profile(num_inference_steps=8)
    assert len(SplitModel(SplitSettings(profile=held)).plans) == 9
    with pytest.raises(
        ValueError, match=r"semaigc\(0\) was not measured: the profile has no table of finetuned with T = 5"
    ):
        SplitModel(SplitSettings(profile=held, num_inference_steps=5))
    with pytest.raises(ValueError, match="num_inference_steps must be an integer >= 1, got 0"):
        SplitSettings(profile=held, num_inference_steps=0)
