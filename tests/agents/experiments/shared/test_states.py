from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agents import load_policy
from agents.experiments.shared.learning import trained_root
from agents.experiments.shared.states import FRAMEWORKS, difference, mean_over_states, sample_states, share_of
from agents.experiments.shared.study import RootTraining
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

AGENT = {"name": "d3qn", "learning_starts": 64, "buffer_size": 1000, "policy_kwargs": {"net_arch": [8]}}


def settings_of(profile: QualityProfile, **scenario: Any) -> SplitSettings:
    return SplitSettings(profile=profile, scenario=scenario, receiver="ignore")


def test_expected_rewards_of_the_frameworks_are_those_of_their_environments(profile: QualityProfile) -> None:
    states = sample_states(settings_of(profile), 50, seed=1)
    for name, plan in (("edge", "edge_aigc"), ("local", "local_aigc"), ("non_root", "semaigc(10)")):
        alone = SplitVectorEnv(1, settings_of(profile), plans=[plan]).model
        expected = alone.expected_rewards(states.observations)[:, 0]
        np.testing.assert_allclose(states.rewards_of(states.actions(name)), expected, rtol=1e-12)


def test_the_oracle_is_above_every_split(profile: QualityProfile) -> None:
    states = sample_states(settings_of(profile), 50, seed=1)
    best = states.rewards_of(states.actions("oracle"))
    assert (best[:, None] >= states.split_rewards).all()
    root = load_policy("oracle", SplitVectorEnv(1, settings_of(profile)))
    np.testing.assert_array_equal(states.rewards_of(states.actions("root", root)), best)
    with pytest.raises(ValueError, match="root need"):
        states.actions(FRAMEWORKS[0])


def test_a_fixed_quantity_leaves_the_luck_of_the_others(profile: QualityProfile) -> None:
    free, fixed = (sample_states(settings_of(profile, **s), 20, seed=3) for s in ({}, {"snr_db": [2.0, 2.0]}))
    assert len(np.unique(fixed.observations[:, 2])) == 1
    np.testing.assert_array_equal(free.observations[:, [0, 1, 3, 4, 5, 6]], fixed.observations[:, [0, 1, 3, 4, 5, 6]])
    other = sample_states(settings_of(profile), 20, seed=4)
    assert (other.observations != free.observations).any()


def test_shares_of_nothing() -> None:
    np.testing.assert_array_equal(share_of([1.0, 0.0, 1.0], [2.0, 0.0, 0.0]), [0.5, 1.0, np.inf])


def test_intervals_of_states() -> None:
    values = np.random.default_rng(0).normal(1.0, 2.0, 4000)
    mean = mean_over_states(values)
    assert mean.mean == pytest.approx(values.mean())
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * 2 / np.sqrt(4000), rel=0.1)
    assert difference(values, values).high == 0.0


def test_a_trained_root_is_kept_and_repeats_itself(profile: QualityProfile, tmp_path: Path) -> None:
    def trained(folder: str, **changes: Any) -> Any:
        training = RootTraining(AGENT, total_requests=320, num_envs=8, seed=0, folder=str(tmp_path / folder))
        return trained_root(settings_of(profile), replace(training, **changes), Console(quiet=True))

    states = sample_states(settings_of(profile), 200, seed=1)
    first = states.actions("root", trained("one"))
    (file,) = (tmp_path / "one").iterdir()
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(states.actions("root", trained("one")), first)
    assert file.stat().st_mtime_ns == written
    again, other = trained("two"), trained("two", seed=1)
    np.testing.assert_array_equal(states.actions("root", again), first)
    for one, two in zip(again.agent.policy.parameters(), other.agent.policy.parameters(), strict=True):
        assert one.shape == two.shape
    assert any(
        (one != two).any()
        for one, two in zip(again.agent.policy.parameters(), other.agent.policy.parameters(), strict=True)
    )
    with pytest.raises(ValueError, match=r"unknown keys in hyperparameters of d3qn: tua"):
        trained("three", agent=AGENT | {"tua": 3})
