"""`SemAIGC/Protocols-v0`: a mixture of the papers' plans as actions, each with the quality that was measured for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from omegaconf import OmegaConf
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

import envs
from envs import costs, plans
from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import interpolate, profile_with

ID = "envs:SemAIGC/Protocols-v0"
NAMES = [plan.name for plan in plans.expand(plans.PROTOCOLS)]


def make(profile: QualityProfile, **settings: Any) -> Any:
    return gym.make(ID, profile=profile, **settings).unwrapped


def test_both_checkers_pass(profile: QualityProfile) -> None:
    check_env(make(profile), skip_render_check=True)
    check_env_for_sb3(make(profile))


def test_the_actions_are_the_plans_of_the_papers(profile: QualityProfile) -> None:
    env = make(profile)
    assert list(env.model.plan_names) == NAMES
    assert len(NAMES) == env.action_space.n == 21 + 2 + 20 + 2
    assert make(profile, plans=["euci"]).action_space.n == 20
    vector = gym.make_vec(ID, num_envs=3, profile=profile)
    assert vector.single_action_space.n == len(NAMES)  # type: ignore[attr-defined]


def test_the_configuration_names_the_same_plans() -> None:
    config = OmegaConf.load(Path(envs.__file__).parents[1] / "configs" / "env" / "protocols.yaml")
    assert list(config.plans) == list(plans.PROTOCOLS)


def test_each_plan_reads_its_own_receiver(profile: QualityProfile) -> None:
    env = gym.make_vec(ID, num_envs=64, profile=profile)
    model = env.model  # type: ignore[attr-defined]
    assert model.quality.num_draws == 3  # of `rematch`, the fewest
    for name, receiver, split in [
        ("semaigc(7)", "finetuned", 7),
        ("euci(7)", "rematch", 7),
        ("ciag_text", "finetuned", 20),
    ]:
        env.reset(seed=1)
        state = env.core.state  # type: ignore[attr-defined]
        info = env.step(np.full(64, model.action_of(name)))[-1]
        last = state.draws[info["attempts"] - 1, np.arange(64)]
        expected = interpolate(profile, receiver, "psnr_db", state.request, split, state.snr_db, last)
        np.testing.assert_allclose(info["quality"]["psnr_db"], expected, rtol=1e-9)
    for name in ("edge_aigc", "uieg_text", "local_aigc"):
        env.reset(seed=1)
        state = env.core.state  # type: ignore[attr-defined]
        info = env.step(np.full(64, model.action_of(name)))[-1]
        np.testing.assert_allclose(
            info["quality"]["alignment"], profile.part("train").reference(20, "alignment")[state.request], rtol=1e-6
        )


def test_a_step_costs_what_the_plan_is_priced_at(profile: QualityProfile) -> None:
    env = make(profile)
    for action, plan in enumerate(env.model.plans):
        env.reset(seed=action)
        info = env.step(action)[-1]
        state = {
            key: info["state"][key] for key in ("snr_db", "bandwidth_hz", "edge_availability", "user_availability")
        }
        price = costs.price(plan, **state, density_factor=info["state"]["density_factor"], attempts=info["attempts"])
        assert info["latency_s"] == pytest.approx(price.latency_s, rel=1e-9)
        assert info["latency_parts_s"] == pytest.approx(price.latency_parts_s, rel=1e-9)
        assert info["energy_j"] == pytest.approx(price.energy_j, rel=1e-9)
        assert info["payload_bits"] == price.payload_bits


def test_expected_rewards_are_the_mean_of_realised_ones(profile: QualityProfile) -> None:
    env = gym.make_vec(
        ID,
        num_envs=20_000,
        profile=profile,
        scenario={
            "snr_db": 3.0,
            "bandwidth_hz": 4e6,
            "edge_availability": 0.6,
            "user_availability": 0.9,
            "density_factor": 1.0,
            "latency_low_s": 9.0,
        },
    )
    obs, _ = env.reset(seed=0)
    realised = env.realised_rewards()  # type: ignore[attr-defined]
    expected = env.model.expected_rewards(obs[:1])[0]  # type: ignore[attr-defined]
    # 20,000 draws of rewards in [0, 1]: 5 standard errors are at most 0.018
    np.testing.assert_allclose(realised.mean(axis=0), expected, atol=0.018)


@pytest.mark.parametrize("name", ["ciag", "esuc", "uidg(2)", "cluster(5,3)", "euci_cache_miss(8)"])
def test_plans_without_a_measured_quality_are_refused_by_name(profile: QualityProfile, name: str) -> None:
    with pytest.raises(ValueError, match="the quality of plan .* was not measured") as error:
        make(profile, plans=["semaigc", name])
    assert name in str(error.value)


def test_a_profile_without_the_receiver_of_euci_says_so(profile: QualityProfile) -> None:
    part = profile.part("train")
    tables = {key: table for key, table in part.tables.items() if key.receiver == "finetuned"}
    alone = profile_with(replace(part, tables=tables))
    assert make(alone, plans=["semaigc", "euci(20)"]).action_space.n == 22
    lacking = "the profile has no table of rematch with T = 20 for its train requests"
    with pytest.raises(ValueError, match=rf"plan euci\(1\) was not measured: {lacking}"):
        make(alone)


def test_attempts_fit_the_receiver_with_the_fewest_draws(profile: QualityProfile) -> None:
    with pytest.raises(
        ValueError, match=r"max_attempts must lie in 1\.\.3, .* finetuned with T = 20, rematch with T = 20, got 4"
    ):
        make(profile, max_attempts=4)
