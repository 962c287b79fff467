from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from envs import SplitSettings, SplitVectorEnv
from envs.fidelity import LiveSource, compare_rewards, fitting_loss
from envs.model import SplitModel
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import METRICS
from tests.profiles import interpolate, synthetic_profile


class MeasureFromProfile:
    """Stands for the transceiver: the measured draws are the profile's, fresh ones are taken from among them."""

    def __init__(self, profile: QualityProfile, worse: float = 0.0) -> None:
        self.profile, self.worse = profile, worse
        self.draws: set[int] = set()

    def measure(self, action: Any, request: Any, snr_db: Any, draw: Any) -> tuple[dict[str, Any], Any]:
        self.draws |= set(draw.tolist())
        quality = {
            metric: interpolate(self.profile, "finetuned", metric, request, action, snr_db, draw % 6) - self.worse
            for metric in METRICS
        }
        return quality, np.zeros((len(action), 3, 2, 2), np.float32)


@pytest.mark.parametrize("reward", ["satisfaction", "qoe"])
def test_the_same_draws_give_the_same_rewards_and_fresh_ones_are_fresh(profile: QualityProfile, reward: str) -> None:
    env = SplitVectorEnv(200, profile=profile, reward=reward)
    env.reset(seed=0)
    measure, action = MeasureFromProfile(profile), np.arange(200) % 21
    compared = compare_rewards(env.model, LiveSource(measure, env.model), action, env.core.state)
    np.testing.assert_allclose(compared.live, compared.profile, rtol=0, atol=1e-12)
    assert measure.draws == set(range(12))
    # Fresh draws taken from the measured ones: equal in the mean, within 4.5 standard errors.
    gap = compared.live_fresh - compared.profile_mean
    assert abs(gap.mean()) < 4.5 * gap.std() / np.sqrt(len(gap))
    assert gap.std() > 0.0


def test_the_mean_over_orders_is_that_of_many_sessions(profile: QualityProfile) -> None:
    env = SplitVectorEnv(4000, profile=profile, scenario={"snr_db": 0.0, "correlation": 1.0})
    env.reset(seed=0)
    action = np.full(4000, 14)
    compared = compare_rewards(env.model, LiveSource(MeasureFromProfile(profile), env.model), action, env.core.state)
    gap = compared.profile - compared.profile_mean
    assert abs(gap.mean()) < 4.5 * gap.std() / np.sqrt(len(gap))


def test_a_worse_transceiver_shows(profile: QualityProfile) -> None:
    env = SplitVectorEnv(200, profile=profile)
    env.reset(seed=0)
    live = LiveSource(MeasureFromProfile(profile, worse=1.0), env.model)
    compared = compare_rewards(env.model, live, np.full(200, 10), env.core.state)
    assert compared.live.mean() == 0.0 < compared.profile.mean()


def test_what_fitting_on_few_requests_loses_is_bounded_by_leaving_some_out() -> None:
    """By the plain definition, in every state; and more requests lose less."""
    loss = {}
    for count in (6, 200):
        model = SplitModel(SplitSettings(profile=synthetic_profile(num_requests=count)))
        loss[count] = fitting_loss(model, num_states=40, folds=3, seed=1)
    assert loss[200].mean + 2 * loss[200].half >= 0.0
    assert loss[200].mean < loss[6].mean
    assert loss[200].half < loss[6].half
    model = SplitModel(SplitSettings(profile=synthetic_profile(num_requests=6)))
    scenario = model.new_scenario()
    scenario.reset(40, np.random.default_rng(1))
    rewards = model.expected_rewards(model.observe(scenario.state), by_request=True)
    lost = []
    for request in range(6):
        others = [other for other in range(6) if other % 3 != request % 3]
        for state in range(40):
            best, chosen = (rewards[rows, state].mean(axis=0).argmax() for rows in (list(range(6)), others))
            lost.append(rewards[request, state, best] - rewards[request, state, chosen])
    assert loss[6].mean == pytest.approx(np.mean(lost), abs=1e-12)
    with pytest.raises(ValueError, match="measured requests must be an integer >= 2, got 1"):
        fitting_loss(SplitModel(SplitSettings(profile=synthetic_profile(num_requests=1))))
