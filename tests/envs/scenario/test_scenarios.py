"""What every scenario promises, and what each one is."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from stable_baselines3.common.env_checker import check_env as check_env_sb3

from envs import OBSERVATION_NAMES, SCENARIO_IDS, SplitEnv, SplitVectorEnv, observation_to_state
from envs.scenario import (
    SCENARIOS,
    BatteryParams,
    Scenario,
    ScenarioParams,
    Spent,
    make_scenario,
    register_scenario,
    resolve_scenario,
)
from envs.transceiver.profile.profile import QualityProfile

NAMES = tuple(SCENARIOS)
CONFIGS = Path(__file__).parents[3] / "configs" / "scenario"
BATTERY_PLANS = ["semaigc", "edge_aigc"]


def started(name: str, num_envs: int = 2_000, seed: int = 0) -> tuple[Scenario, np.random.Generator]:
    scenario, rng = make_scenario(resolve_scenario(name), 8, 6, 3), np.random.default_rng(seed)
    scenario.reset(num_envs, rng)
    return scenario, rng


def spent(num_envs: int, seconds: float) -> Spent:
    return Spent(*np.full((3, num_envs), seconds), np.full(num_envs, 250.0 * seconds))


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("name", SCENARIO_IDS)
def test_checkers_of_gymnasium_and_stable_baselines3_pass_without_a_warning(
    name: str, window: int, profile: QualityProfile
) -> None:
    made = gym.make(f"envs:{name}", profile=profile, observation_window=window)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped, skip_render_check=True)
        check_env_sb3(made.unwrapped)
    assert made.observation_space.shape == (7 + len(made.unwrapped.model.scenario.FEATURES),)


@pytest.mark.parametrize("name", SCENARIO_IDS)
def test_batches_of_every_id(name: str, profile: QualityProfile) -> None:
    envs = gym.make_vec(f"envs:{name}", num_envs=5, profile=profile)
    scalar, one = gym.make(f"envs:{name}", profile=profile).unwrapped, gym.make_vec(f"envs:{name}", profile=profile)
    obs, _ = envs.reset(seed=0)
    first, _ = scalar.reset(seed=9)
    np.testing.assert_array_equal(first, one.reset(seed=9)[0][0])
    for action in range(15):
        assert obs in envs.observation_space
        assert envs.unwrapped.action_masks().shape == (5, envs.single_action_space.n)
        obs, reward, _, _, info = envs.step(envs.action_space.sample())
        assert np.all((reward >= 0.0) & (reward <= 1.0))
        np.testing.assert_allclose(sum(info["latency_parts_s"].values()), info["latency_s"], atol=1e-9)
        a, b = scalar.step(action), one.step(np.array([action]))
        np.testing.assert_array_equal(a[0], b[0][0])
        assert (a[1], a[4]["latency_s"]) == (b[1][0], b[4]["latency_s"][0])


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_file_with_the_defaults(name: str) -> None:
    with initialize_config_dir(str(CONFIGS.parent), version_base="1.3"):
        values: Any = OmegaConf.to_container(compose(f"scenario/{name}").scenario)
    assert values.pop("name") == name
    params = SCENARIOS[name].Params()
    assert resolve_scenario({"name": name, **values}) == params
    assert set(values) == set(vars(params))
    assert name in {resolve_scenario(settings.get("scenario", "paper")).NAME for settings in SCENARIO_IDS.values()}


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_fixes_it_and_actions_do_not_move_its_draws(name: str) -> None:
    (a, rng_a), (b, rng_b), (c, _) = started(name, 50, 7), started(name, 50, 7), started(name, 50, 8)
    for seconds in (1.0, 9.0):
        a.advance(rng_a, spent(50, seconds))
        b.advance(rng_b, spent(50, 0.0))
    for field in ("snr_db", "bandwidth_hz", "edge_availability", "latency_low_s", "draws"):
        np.testing.assert_array_equal(getattr(a.state, field), getattr(b.state, field))
    assert rng_a.bit_generator.state == rng_b.bit_generator.state
    assert not np.array_equal(a.state.snr_db, c.state.snr_db)


@pytest.mark.parametrize("name", NAMES)
def test_its_memory_is_plain_arrays_and_restores_it(name: str) -> None:
    scenario, rng = started(name, 20)
    scenario.advance(rng, spent(20, 2.0))
    kept, generator = scenario.get_state(), rng.bit_generator.state
    seen = []
    for _ in range(2):
        for _ in range(3):
            scenario.advance(rng, spent(20, 1.0))
        seen.append(scenario.state)
        scenario.set_state(kept)
        rng.bit_generator.state = generator
    for field in ("snr_db", "bandwidth_hz", "edge_availability", "request", "draws"):
        np.testing.assert_array_equal(getattr(seen[0], field), getattr(seen[1], field))
    for feature, values in seen[0].features.items():
        np.testing.assert_array_equal(values, seen[1].features[feature])
    with pytest.raises(ValueError, match=r"process\.quantities"):
        scenario.set_state({"process.other": np.zeros(3)})


@pytest.mark.parametrize("name", NAMES)
def test_states_stay_within_what_is_observed_and_are_not_written_again(name: str, profile: QualityProfile) -> None:
    env = SplitVectorEnv(500, profile=profile, scenario=name)
    obs, _ = env.reset(seed=1)
    model, rng = env.model, np.random.default_rng(0)
    for _ in range(25):
        state = env.core.state
        kept = {key: np.array(values) for key, values in state.features.items()}
        assert np.isfinite(obs).all()
        seen = model.observation.to_state(obs)
        np.testing.assert_allclose(seen["snr_db"], state.snr_db, atol=1e-5)
        np.testing.assert_allclose(seen["bandwidth_hz"], state.bandwidth_hz, rtol=1e-5)
        for key, values in state.features.items():
            low, high = model.scenario.FEATURES[key]
            assert np.all((values >= low) & (values <= high))
            np.testing.assert_allclose(seen[key], values, atol=1e-6 * high)
        obs, *_ = env.step(rng.integers(21, size=500))
        for key, values in kept.items():
            np.testing.assert_array_equal(state.features[key], values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plans", [["semaigc(0)", "semaigc(12)", "semaigc(20)", "edge_aigc", "local_aigc"]])
def test_expected_rewards_are_means_of_what_steps_give(name: str, plans: list[str], profile: QualityProfile) -> None:
    """Within 4.5 standard errors of 15 x 1,500 steps, from observations and from the true state alike."""
    env = SplitVectorEnv(1_500, profile=profile, plans=plans, scenario=name)
    obs, _ = env.reset(seed=11)
    rng = np.random.default_rng(5)
    errors: list[list[float]] = [[] for _ in plans]
    for _ in range(15):
        actions = rng.integers(len(plans), size=env.num_envs)
        expected = env.model.expected_rewards(obs)
        np.testing.assert_allclose(expected, env.expected_rewards(), atol=2e-4)
        obs, reward, *_ = env.step(actions)
        for action, error in zip(actions, reward - expected[np.arange(env.num_envs), actions], strict=True):
            errors[action].append(error)
    for sample in errors:
        assert abs(np.mean(sample)) < 4.5 * np.std(sample) / np.sqrt(len(sample)) + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_realised_rewards_are_what_a_step_gives(name: str, profile: QualityProfile) -> None:
    env = SplitVectorEnv(200, profile=profile, plans=BATTERY_PLANS, scenario=name)
    env.reset(seed=2)
    rng = np.random.default_rng(1)
    for _ in range(12):
        actions = rng.integers(22, size=200)
        realised = env.realised_rewards()
        assert realised.shape == (200, 22)
        np.testing.assert_array_equal(env.step(actions)[1], realised[np.arange(200), actions])


def test_bursts_are_seen_in_the_availability() -> None:
    scenario, rng = started("bursty_edge", 20_000)
    params: Any = scenario.params
    for _ in range(3):
        availability, busy = scenario.state.edge_availability, scenario.processes["busy"].values
        for inside, (low, high) in ((busy, params.busy_availability), (~busy, params.edge_availability)):
            assert np.all((availability[inside] >= low) & (availability[inside] <= high))
            sigma = (high - low) / math.sqrt(12 * inside.sum())
            assert availability[inside].mean() == pytest.approx((low + high) / 2, abs=5 * sigma)
        scenario.advance(rng, spent(20_000, 0.0))


def test_the_city_adds_shadowing_fading_and_gaps_to_the_local_mean() -> None:
    """Mean and variance of the SNR of requests without a gap; 5 standard errors, clipping left out by the range."""
    quiet = resolve_scenario({"name": "urban_fading", "snr_db": 3.0, "shadowing_db": 2.0, "gap_share": 0.0})
    scenario = make_scenario(quiet, 8, 6, 3)
    scenario.reset(40_000, np.random.default_rng(0))
    snr_db = scenario.state.snr_db
    neper_db = 10 / math.log(10)
    variance = 2.0**2 + (neper_db * math.pi) ** 2 / 6
    assert snr_db.mean() == pytest.approx(3.0 - neper_db * 0.5772156649, abs=5 * math.sqrt(variance / 40_000) + 0.01)
    assert snr_db.var() == pytest.approx(variance, rel=0.05)

    city, _ = started("urban_fading", 20_000)
    gap, params = city.processes["gap"].values, city.params
    assert gap.mean() == pytest.approx(params.gap_share, abs=5 * math.sqrt(0.1 / 20_000))
    assert city.state.bandwidth_hz[gap].max() <= params.gap_bandwidth_factor * params.bandwidth_hz[1] + 1e-6
    assert city.state.bandwidth_hz.min() == pytest.approx(1e5)
    assert np.median(city.state.snr_db[gap]) < np.median(city.state.snr_db[~gap]) - 5.0
    assert (city.state.snr_db.min(), city.state.snr_db.max()) == (-20.0, 20.0)


def test_a_backlog_grows_by_decisions_and_drains_with_time() -> None:
    scenario, rng = started("queue", 1_000)
    before = scenario.state.features["backlog_s"]
    scenario.advance(rng, spent(1_000, 3.0))
    elapsed_s, arrived_s = scenario.processes["workload"].values
    expected = np.maximum(before + 3.0 + arrived_s - elapsed_s, 0.0)
    np.testing.assert_allclose(scenario.state.features["backlog_s"], expected)
    for _ in range(200):
        scenario.advance(rng, spent(1_000, 9.0))
    assert scenario.state.features["backlog_s"].max() == 60.0  # overloaded: work is turned away at the limit


def test_without_load_or_decisions_the_queue_is_empty_and_one_user_waits_for_his_own_work() -> None:
    params = resolve_scenario({"name": "queue", "background_load": 0.0})
    scenario, rng = make_scenario(params, 8, 6, 3), np.random.default_rng(0)
    scenario.reset(100, rng)
    for seconds in (0.0, 5.0):
        assert not scenario.state.features["backlog_s"].any()
        scenario.advance(rng, spent(100, seconds))
    np.testing.assert_allclose(
        scenario.state.features["backlog_s"], np.maximum(5.0 - scenario.processes["workload"].values[0], 0.0)
    )


def test_waiting_counts_for_plans_that_need_the_edge_only(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile, scenario="queue", plans=["semaigc(18)", "local_aigc"])
    obs, _ = env.reset(seed=3)
    waited = 0.0
    for action in (0, 0, 0, 1, 0, 1):
        backlog_s = env.model.observation.to_state(obs)["backlog_s"]
        obs, _, _, _, info = env.step(action)
        waiting_s = info["latency_parts_s"]["waiting"]
        assert waiting_s == (pytest.approx(backlog_s, abs=1e-4) if action == 0 else 0.0)
        assert info["state"]["backlog_s"] == pytest.approx(backlog_s, abs=1e-4)
        assert sum(info["latency_parts_s"].values()) == pytest.approx(info["latency_s"])
        waited += waiting_s
    assert waited > 0.0


def test_a_battery_pays_for_the_user_and_then_forbids_it(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile, scenario={"name": "battery", "battery_j": 5_000.0}, plans=BATTERY_PLANS)
    _, info = env.reset(seed=0)
    left_j = 5_000.0
    assert info["action_mask"].all()
    refused = 0
    for _ in range(12):
        state = env.core.state
        prices = env.model.costs.price(state.link)
        needed_j = prices.user_power_w * (prices.once_s.user + prices.repeat_s.user)[0]
        mask = env.action_masks()
        assert (mask.dtype, mask.shape, mask[21]) == (np.bool_, (22,), True)
        np.testing.assert_array_equal(mask, needed_j <= left_j)
        _, reward, _, _, after = env.step(4)
        if mask[4]:
            left_j = max(left_j - after["latency_parts_s"]["user"] * prices.user_power_w, 0.0)
        else:
            refused += 1
            assert (reward, after["attempts"], after["accepted"], after["failed"]) == (0.0, 0, False, True)
            assert (after["latency_s"], after["energy_j"], after["payload_bits"]) == (0.0, 0.0, 0)
            assert all(math.isnan(value) for value in after["quality"].values())
        assert env.core.state.features["battery_j"][0] == pytest.approx(left_j)
        assert after["action_mask"].dtype == np.int8
        np.testing.assert_array_equal(after["action_mask"], env.action_masks())
    assert refused > 0


def test_without_the_model_only_plans_of_the_users_device_are_possible(profile: QualityProfile) -> None:
    names = ["semaigc(0)", "semaigc(1)", "semaigc(20)", "edge_aigc", "local_aigc", "euci(20)"]
    env = SplitVectorEnv(500, profile=profile, scenario="cache", plans=names)
    obs, info = env.reset(seed=0)
    local = np.array([True, False, False, False, True, False])
    for action in range(6):
        missing = info["state"]["cached"] == 0.0
        assert 0 < missing.sum() < 500
        np.testing.assert_array_equal(obs[:, 7], ~missing)
        np.testing.assert_array_equal(info["action_mask"], ~missing[:, None] | local)
        best = env.expected_rewards().argmax(axis=1)
        assert local[best[missing]].all()
        obs, reward, _, _, served = env.step(np.full(500, action))
        assert local[action] or not reward[missing].any()
        np.testing.assert_array_equal(served["attempts"] == 0, missing & ~local[action])
        info = {"state": env.core.state.features, "action_mask": served["action_mask"]}


def test_the_edge_lacks_the_model_as_often_and_as_long_as_it_is_told() -> None:
    """Share of the misses, and of those that end with a request; 5 standard errors of 20,000 independent sessions."""
    scenario, rng = started("cache", 20_000)
    params: Any = scenario.params
    cached = scenario.state.features["cached"]
    scenario.advance(rng, spent(20_000, 5.0))
    missing, share = cached == 0.0, params.miss_share
    assert missing.mean() == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / 20_000))
    ended, leave = scenario.state.features["cached"][missing].mean(), 1 / params.miss_requests
    assert ended == pytest.approx(leave, abs=5 * math.sqrt(leave * (1 - leave) / missing.sum()))


def test_the_mask_of_a_batch_goes_with_the_observations(profile: QualityProfile) -> None:
    env = SplitVectorEnv(40, profile=profile, scenario="battery", plans=BATTERY_PLANS, episode_length=8)
    _, info = env.reset(seed=0)
    emptied = False
    for _ in range(8):
        np.testing.assert_array_equal(info["action_mask"], env.action_masks())
        emptied |= not info["action_mask"].all()
        _, _, terminated, _, info = env.step(np.zeros(40, dtype=int))
    assert emptied
    assert terminated.all()
    assert not np.array_equal(info["action_mask"], info["final_info"]["action_mask"])
    np.testing.assert_array_equal(info["action_mask"], env.action_masks())


def test_scenarios_without_limits_have_full_masks_and_no_mask_in_info(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile)
    _, info = env.reset(seed=0)
    assert "action_mask" not in info
    assert env.action_masks().all()


def test_an_observation_window_averages_the_last_requests_of_the_session(profile: QualityProfile) -> None:
    plain = SplitVectorEnv(6, profile=profile, scenario="queue", episode_length=5)
    averaged = SplitVectorEnv(6, profile=profile, scenario="queue", episode_length=5, observation_window=3)
    shown = [plain.reset(seed=4)[0]]
    np.testing.assert_array_equal(averaged.reset(seed=4)[0], shown[0])
    for step in range(1, 9):
        obs, _, _, _, info = plain.step(np.full(6, step))
        mean, _, terminated, _, info_mean = averaged.step(np.full(6, step))
        last = info["final_obs"] if terminated.all() else obs
        seen = info_mean["final_obs"] if terminated.all() else mean
        np.testing.assert_allclose(seen, np.mean([*shown, last][-3:], axis=0), rtol=1e-6)
        assert seen.dtype == np.float32
        shown = [obs] if terminated.all() else [*shown, obs]
        if terminated.all():
            np.testing.assert_array_equal(mean, obs)


def test_windows_are_refused_below_one(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="observation_window"):
        SplitEnv(profile=profile, observation_window=0)


def test_the_seven_are_read_from_observations_of_any_scenario() -> None:
    assert tuple(observation_to_state(np.zeros((2, 9)))) == OBSERVATION_NAMES


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "urban_fading", "shadowing_db": -1.0},
        {"name": "urban_fading", "fading_correlation": 1.5},
        {"name": "urban_fading", "gap_share": 1.0},
        {"name": "urban_fading", "gap_requests": 0.0},
        {"name": "urban_fading", "gap_bandwidth_factor": math.nan},
        {"name": "urban_fading", "gap_loss_db": "deep"},
        {"name": "bursty_edge", "busy_availability": (0.0, 0.5)},
        {"name": "bursty_edge", "busy_share": 0.9},
        {"name": "bursty_edge", "busy_requests": math.inf},
        {"name": "queue", "interval_s": 0.0},
        {"name": "queue", "background_load": 1.5},
        {"name": "queue", "background_job_s": -1.0},
        {"name": "queue", "backlog_limit_s": 61.0},
        {"name": "battery", "battery_j": (10.0, 1.0)},
        {"name": "battery", "battery_j": -5.0},
        {"name": "battery", "battery_j": 1e6},
        {"name": "cache", "miss_share": 1.0},
        {"name": "cache", "miss_requests": 0.5},
        {"name": "iot", "bandwidth_hz": 1e4},
        {"name": "iot", "backlog_s": 3.0},
    ],
)
def test_impossible_parameters_are_refused(bad: dict[str, Any]) -> None:
    (key,) = set(bad) - {"name"}
    with pytest.raises(ValueError, match=key):
        resolve_scenario(bad)


def test_names_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("envs.scenario.scenario.SCENARIOS", dict(SCENARIOS))
    with pytest.raises(ValueError, match="'battery' is there already"):
        register_scenario(type("Other", (Scenario,), {"Params": BatteryParams}))
    with pytest.raises(ValueError, match="NAME of its own"):
        register_scenario(type("Nameless", (Scenario,), {"Params": type("NamelessParams", (ScenarioParams,), {})}))
    assert replace(BatteryParams(), battery_j=(1.0, 2.0)).battery_j == (1.0, 2.0)
