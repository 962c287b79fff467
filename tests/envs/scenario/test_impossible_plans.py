"""A plan that the scenario forbids: the worst failure, without an attempt, an image or a joule."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from envs import SplitVectorEnv
from envs.fidelity import LiveSource
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import METRICS
from tests.profiles import interpolate

SCENARIOS: dict[str, dict[str, Any]] = {
    "battery": {"scenario": {"name": "battery", "battery_j": 3_500.0}, "plans": ["semaigc", "edge_aigc"]},
    "cache": {"scenario": "cache"},
}
WORST = {"satisfaction": 0.0, "qoe": -0.5, "vector": [0.0, 0.0, -1.0, -1.0]}
each = pytest.mark.parametrize("name", SCENARIOS)


def some_forbidden(profile: QualityProfile, name: str, **settings: Any) -> tuple[SplitVectorEnv, Any, Any]:
    """64 sessions before a step, and actions of which the mask forbids some: (env, actions, which are forbidden)."""
    env = SplitVectorEnv(64, profile=profile, **{**SCENARIOS[name], **settings})
    env.reset(seed=0)
    actions = np.arange(64) % 21
    for _ in range(3):
        env.step(actions)
    forbidden = ~env.action_masks()[np.arange(64), actions]
    assert 0 < forbidden.sum() < 64
    return env, actions, forbidden


@each
@pytest.mark.parametrize("reward", WORST)
def test_it_earns_what_the_worst_failure_does(profile: QualityProfile, name: str, reward: str) -> None:
    env, actions, forbidden = some_forbidden(profile, name, reward=reward)
    rows = np.arange(64)
    realised, expected = (rewards[rows, actions] for rewards in (env.realised_rewards(), env.expected_rewards()))
    paid, info = env.step(actions)[1::3]
    np.testing.assert_array_equal(paid[forbidden], np.broadcast_to(WORST[reward], paid[forbidden].shape))
    np.testing.assert_array_equal(realised, paid)
    np.testing.assert_array_equal(expected[forbidden], paid[forbidden])
    assert np.all(paid >= np.asarray(WORST[reward]))  # no honest request, failed or not, earns less
    assert info["failed"][forbidden].all()
    for spent in ("latency_s", "energy_j", "payload_bits", "attempts"):
        assert not info[spent][forbidden].any()
    assert np.isnan(info["quality"]["psnr_db"][forbidden]).all()
    assert np.isfinite(info["quality"]["psnr_db"][~forbidden]).all()


@each
def test_it_does_not_pay_to_choose_it(profile: QualityProfile, name: str) -> None:
    """With images that are never good enough every honest request fails; the oracle takes it all the same."""
    env, _, _ = some_forbidden(profile, name, reward="qoe", acceptance={"metric": "ssim", "least": 2.0})
    chosen = env.model.expected_rewards(env.model.observe(env.core.state)).argmax(axis=1)  # the oracle's
    possible = env.action_masks()
    assert np.all(possible[np.arange(64), chosen] | ~possible.any(axis=1))
    for rewards in (env.expected_rewards(), env.realised_rewards()):
        assert rewards[possible].mean() > rewards[~possible].max()


class Counting:
    """Stands for the generating source: reads the profile, and counts the images that it made."""

    def __init__(self, profile: QualityProfile) -> None:
        self.profile, self.made = profile, 0

    def measure(self, action: Any, request: Any, snr_db: Any, draw: Any) -> tuple[dict[str, Any], Any]:
        self.made += len(action)
        shown = {name: interpolate(self.profile, "finetuned", name, request, action, snr_db, draw) for name in METRICS}
        return shown, np.full((len(action), 3, 2, 2), 0.5, np.float32)


@each
@pytest.mark.parametrize("reward", ["satisfaction", "qoe"])
def test_live_generates_nothing_for_it(profile: QualityProfile, name: str, reward: str) -> None:
    (env, actions, forbidden), (table, _, _) = (some_forbidden(profile, name, reward=reward) for _ in range(2))
    counting = Counting(profile)
    env.core.quality = LiveSource(counting, env.model)
    paid, info = env.step(actions)[1::3]
    paid_by_table, by_table = table.step(actions)[1::3]
    np.testing.assert_allclose(paid, paid_by_table, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(info["attempts"], by_table["attempts"])
    np.testing.assert_allclose(info["quality"]["ssim"], by_table["quality"]["ssim"], rtol=1e-12)
    assert counting.made == info["attempts"].sum() > 0
    assert not info["attempts"][forbidden].any()


def test_live_takes_a_batch_of_which_nothing_is_possible(profile: QualityProfile) -> None:
    env = SplitVectorEnv(4, profile=profile, scenario={"name": "battery", "battery_j": 0.0})
    env.reset(seed=0)
    counting = Counting(profile)
    env.core.quality = LiveSource(counting, env.model)
    info = env.step(np.zeros(4, dtype=int))[-1]
    assert counting.made == 0
    assert np.isnan(info["quality"]["alignment"]).all()


@each
@pytest.mark.parametrize("live", [False, True])
def test_it_is_painted_without_an_image(profile: QualityProfile, name: str, live: bool) -> None:
    asked: list[str] = []

    class Transceiver:
        def with_steps(self, _: int) -> Any:
            return self

        def execute(self, plan: Any, **request: Any) -> SimpleNamespace:
            asked.append(plan.name)
            return SimpleNamespace(images=np.full((1, 3, 8, 8), 0.5, np.float32))

    env, actions, forbidden = some_forbidden(profile, name, render_mode="rgb_array", transceiver=Transceiver())
    if live:
        env.core.quality = LiveSource(Counting(profile), env.model)
    env.step(actions)
    frames = env.render()
    assert frames is not None
    grey, placeholder = [128, 128, 128], [0xE3, 0xE7, 0xEE]
    assert all(
        frame[60, 60].tolist() == (placeholder if no else grey) for frame, no in zip(frames, forbidden, strict=True)
    )
    assert len(asked) == (0 if live else (~forbidden).sum())
