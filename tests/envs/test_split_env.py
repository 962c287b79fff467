from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from envs import OBSERVATION_NAMES, SplitEnv, costs, observation_to_state, plans
from envs.costs import RTX_A6000
from envs.transceiver.profile.profile import QualityProfile, Request
from tests.profiles import interpolate, part_with, profile_with

ID = "envs:SemAIGC/Split-v0"


def profile_of(values: list[float], reference: float = 0.95) -> QualityProfile:
    """One request with three draws, whose alignment is `values[draw]` at every SNR and split."""
    table = np.zeros((4, 1, 21, 2, 3))
    table[0] = values
    table[1] = [10.0, 20.0, 30.0]
    table[2] = np.array(values) - 0.1  # either rule accepts the same images
    references = np.array([[reference], [60.0], [1.0], [0.0]])
    return profile_with(
        part_with("train", (Request("a red apple", 0),), [-20.0, 20.0], {"finetuned": table}, references)
    )


@pytest.fixture(scope="module")
def env(profile: QualityProfile) -> SplitEnv:
    return SplitEnv(profile=profile)


def test_checkers_of_gymnasium_and_stable_baselines3_pass_without_a_warning(profile: QualityProfile) -> None:
    made = gym.make(ID, profile=profile)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped, skip_render_check=True)
        check_env_sb3(made.unwrapped)
    assert made.observation_space.shape == (len(OBSERVATION_NAMES),)
    assert made.action_space == gym.spaces.Discrete(21)


def test_one_request_episodes_terminate(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile, episode_length=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)
    env.reset(seed=0)
    assert env.step(3)[2:4] == (True, False)


def test_a_session_terminates_after_its_length(env: SplitEnv) -> None:
    env.reset(seed=0)
    ends = [env.step(10)[2:4] for _ in range(20)]
    assert ends == [(False, False)] * 19 + [(True, False)]


@pytest.mark.parametrize(
    ("values", "attempts"), [([0.91, 0.99, 0.95], {1}), ([0.95, 0.0, 0.0], {1, 2, 3}), ([0.1, 0.899, 0.3], {3})]
)
def test_attempts_stop_at_the_first_acceptable_draw(values: list[float], attempts: set[int]) -> None:
    env = SplitEnv(profile=profile_of(values))
    env.reset(seed=1)
    seen = set()
    for _ in range(40):
        draws = env.core.state.draws[:, 0].tolist()
        hits = [values[draw] >= 0.9 for draw in draws]
        expected = hits.index(True) + 1 if any(hits) else 3
        _, reward, terminated, _, info = env.step(12)
        assert (info["attempts"], info["accepted"]) == (expected, any(hits))
        assert info["quality"]["alignment"] == pytest.approx(values[draws[expected - 1]])
        assert info["quality"]["psnr_db"] == pytest.approx(10.0 * (draws[expected - 1] + 1))
        assert info["failed"] == (not any(hits) or info["latency_s"] > 60.0)
        assert reward == 0.0 or not info["failed"]
        seen.add(info["attempts"])
        if terminated:
            env.reset()
    assert seen == attempts


def test_latency_and_reward_by_hand() -> None:
    """One state worked out on paper: 12 steps at the edge, a latent at 0 dB over 1 MHz, 8 steps at the user."""
    scenario = {
        "snr_db": 0.0,
        "bandwidth_hz": 1e6,
        "edge_availability": 0.5,
        "user_availability": 0.8,
        "density_factor": 1.0,
        "latency_low_s": 10.0,
    }
    once_s = (0.75 + 12 * 0.2) / 0.5
    repeat_s = 131_072 / 1e6 + (8 * 0.368 + 1.196) / 0.8
    for values, attempts in (([1.0, 1.0, 1.0], 1), ([0.0, 0.0, 0.0], 3)):
        env = SplitEnv(profile=profile_of(values), scenario=scenario)
        env.reset(seed=0)
        _, reward, _, _, info = env.step(12)
        assert info["latency_s"] == pytest.approx(once_s + attempts * repeat_s)
        assert sum(info["latency_parts_s"].values()) == pytest.approx(info["latency_s"])
        assert info["latency_parts_s"]["link"] == pytest.approx(attempts * 0.131072)
        assert info["payload_bits"] == attempts * 131_072
        assert reward == (pytest.approx((20.0 - info["latency_s"]) / 10.0) if attempts == 1 else 0.0)
        assert info["rewards"] == {"satisfaction": reward}


def test_a_request_beyond_the_deadline_fails_though_its_image_is_accepted() -> None:
    slow = {"edge_availability": 0.1, "latency_low_s": 20.0, "latency_high_ratio": 10.0}
    for deadline_s, failed in ((60.0, False), (40.0, True)):
        env = SplitEnv(profile=profile_of([1.0, 1.0, 1.0]), scenario=slow, deadline_s=deadline_s)
        env.reset(seed=0)
        _, reward, _, _, info = env.step(18)
        assert info["latency_s"] > 40.0
        assert (info["accepted"], info["failed"], reward == 0.0) == (True, failed, failed)


def test_whole_generators_have_the_noise_free_quality() -> None:
    env = SplitEnv(profile=profile_of([0.0, 0.0, 0.0], reference=0.95), plans=["edge_aigc", "local_aigc", "semaigc(3)"])
    env.reset(seed=0)
    infos = [env.step(action)[4] for action in (0, 1, 2)]
    assert [info["accepted"] for info in infos] == [True, True, False]
    assert infos[0]["quality"]["psnr_db"] == 60.0
    assert [info["payload_bits"] for info in infos] == [6_291_456, 0, 3 * 131_072]


def test_info_is_priced_like_the_plan_and_measured_like_the_profile(env: SplitEnv, profile: QualityProfile) -> None:
    obs, _ = env.reset(seed=8)
    for action in (0, 7, 14, 20):
        draws = env.core.state.draws[:, 0]
        before = obs
        obs, _, _, _, info = env.step(action)
        state = info["state"]
        link = {key: state[key] for key in ("snr_db", "bandwidth_hz", "edge_availability", "user_availability")}
        priced = costs.price(
            plans.semaigc(action), **link, density_factor=state["density_factor"], attempts=info["attempts"]
        )
        assert info["latency_s"] == pytest.approx(priced.latency_s)
        assert info["energy_j"] == pytest.approx(priced.energy_j)
        assert info["payload_bits"] == priced.payload_bits
        for metric, value in info["quality"].items():
            last = draws[info["attempts"] - 1]
            measured = interpolate(profile, "finetuned", metric, state["request"], action, state["snr_db"], last)
            assert value == pytest.approx(float(measured), rel=1e-12)
        seen = observation_to_state(before)
        assert seen["snr_db"] == pytest.approx(state["snr_db"], abs=1e-5)
        assert seen["edge_capability_hz"] == pytest.approx(state["edge_availability"] * RTX_A6000.clock_hz, rel=1e-5)
        assert seen["bandwidth_hz"] == pytest.approx(state["bandwidth_hz"], rel=1e-5)


def test_info_and_reward_are_plain_numbers(env: SplitEnv) -> None:
    def leaves(value: Any) -> list[Any]:
        return [leaf for v in value.values() for leaf in leaves(v)] if isinstance(value, dict) else [value]

    _, info = env.reset(seed=0)
    assert set(info) == {"state"}
    _, reward, terminated, truncated, info = env.step(np.int64(4))
    assert type(reward) is float
    assert (type(terminated), type(truncated)) == (bool, bool)
    assert {type(leaf) for leaf in leaves(info)} <= {int, float, bool}
    assert set(info) >= {"latency_s", "latency_parts_s", "energy_j", "payload_bits", "quality", "attempts", "state"}


def test_one_seed_gives_the_same_requests_whatever_the_actions(env: SplitEnv) -> None:
    def requests(actions: list[int]) -> list[dict[str, float]]:
        env.reset(seed=21)
        return [env.step(action)[4]["state"] for action in actions]

    assert requests([0] * 10) == requests(list(range(10)))


def test_the_model_names_its_actions(env: SplitEnv) -> None:
    assert env.model.action_of("semaigc(7)") == 7
    with pytest.raises(ValueError, match=r"'edge_aigc'.*semaigc\(0\)"):
        env.model.action_of("edge_aigc")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"plans": ["semaigc(21)"]}, r"0\.\.20"),
        ({"plans": ["teleport"]}, "teleport"),
        ({"plans": [plans.semaigc(2, 10)]}, "no table of finetuned with T = 10"),
        ({"receiver": "deaf"}, "deaf"),
        ({"acceptance": {"metric": "beauty", "least": 0.5}}, "unknown metric of acceptance 'beauty'"),
        ({"quality_min": 0.5}, "quality_min was replaced: give acceptance="),
        ({"rate": "coded"}, "rate was replaced: give link="),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 7}, r"1\.\.6"),
        ({"deadline_s": -1.0}, "deadline_s"),
        ({"episode_length": 2.5}, "episode_length"),
        ({"fidelity": "imagined"}, "imagined"),
        ({"render_mode": "ascii"}, "ascii"),
        ({"scenario": "moon"}, "moon"),
        ({"scenario": {"snr_db": float("nan")}}, "snr_db"),
        ({"edge_device": "laptop"}, "edge_device"),
        ({"edge_device": costs.Device("slow", 1e9, 10_000, 9.0, 10.0)}, "edge_density"),
        ({"quality_minimum": 0.5}, "quality_minimum"),
        ({"channel": "telepathy"}, "telepathy"),
        ({"channel": "rayleigh"}, "the profile was measured over channel 'awgn', asked for is 'rayleigh, gain perfect"),
        ({"link": "polar"}, "unknown link 'polar'; allowed: paper, analog, digital"),
        ({"link": "analog", "channel": "bit_flip"}, "link analog sends symbols, channel bit_flip bits"),
    ],
)
def test_impossible_settings_are_refused(profile: QualityProfile, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitEnv(**{"profile": profile, **bad})


def test_a_coded_rate_slows_the_link_alone(profile: QualityProfile) -> None:
    def parts_s(**given: str) -> dict[str, float]:
        env = SplitEnv(profile=profile, channel="awgn", **given)
        env.reset(seed=0)
        parts: dict[str, float] = env.step(12)[4]["latency_parts_s"]
        return parts

    default, paper, digital = parts_s(), parts_s(link="paper"), parts_s(link="digital")
    assert default == paper
    assert digital["link"] > paper["link"]
    assert {**digital, "link": 0.0} == {**paper, "link": 0.0}


def test_an_unreadable_profile_is_refused(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="profile"):
        SplitEnv(profile=tmp_path / "nowhere.npz")


def test_bad_calls_are_refused(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)
    with pytest.raises(ValueError, match="options"):
        env.reset(options={"snr_db": 3})
    env.reset(seed=0)
    for action in (-1, 21, 1.5):
        with pytest.raises(ValueError, match="actions must"):
            env.step(action)
