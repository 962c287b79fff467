from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agents import load_policy
from agents.experiments.shared.learning import lesson_of, trained_root
from agents.experiments.shared.states import FRAMEWORKS, Sweep, difference, mean_over_states, sample_states, share_of
from agents.experiments.shared.study import CurveOptions, RootTraining
from agents.runs.settings import AgentSettings
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import synthetic_profile

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
    best = states.rewards_of(states.actions("oracle_bound"))
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


def test_margins_are_the_means_of_every_request_on_its_own(profile: QualityProfile) -> None:
    settings = replace(settings_of(profile), requests="test", receiver="finetuned")
    states = sample_states(settings, 300, seed=1)  # more than are worked on at a time
    actions = {name: states.actions(name) for name in ("oracle_bound", "non_root", "edge")}
    every = states.model.expected_rewards(states.observations, by_request=True)
    margins = states.margins(actions)
    for name, found in margins.items():
        taken = every[:, np.arange(300), actions[name]]
        np.testing.assert_allclose(found.by_state, taken.mean(axis=0))
        np.testing.assert_allclose(found.by_request, taken.mean(axis=1))
        np.testing.assert_allclose(found.by_state, states.rewards_of(actions[name]))
    own = margins["non_root"]  # the luck of 8 requests comes to that of the states
    assert own.interval().half > 1.02 * mean_over_states(own.by_state).half


def test_what_is_judged_elsewhere_is_trained_on_the_training_requests(profile: QualityProfile, tmp_path: Path) -> None:
    """So ROOT and curves are the same, whatever the test requests are, and others where the training requests are."""
    training = RootTraining(AGENT, total_requests=160, num_envs=8, seed=0, folder=str(tmp_path))
    other = synthetic_profile(seed=9)
    mixed = {
        "test": {**profile.parts, ("prompt", "test"): other.part("test")},
        "train": {**profile.parts, ("prompt", "train"): other.part("train")},
    }

    def trained(given: QualityProfile, requests: str) -> int:
        trained_root(replace(settings_of(given), requests=requests), training, Console(quiet=True))
        return len(list(tmp_path.iterdir()))

    assert trained(profile, "train") == 1
    assert trained(profile, "test") == 1
    assert trained(QualityProfile(mixed["test"], 20, profile.fingerprint), "test") == 1
    assert trained(QualityProfile(mixed["train"], 20, profile.fingerprint), "test") == 2
    options = CurveOptions(4, 8, 2, 1, 10, AGENT)
    lesson = lesson_of(options, replace(settings_of(profile), requests="test"), AgentSettings.from_config(AGENT))
    assert lesson.environment.requests == "train"


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


def test_the_mean_over_the_points_of_a_sweep_resamples_the_sessions_that_they_share() -> None:
    luck, labels = np.linspace(-1, 1, 20), {"episode": np.arange(20) // 5, "request": np.arange(20) % 4}

    def served(lead: float) -> dict[str, Any]:
        return {"edge": labels | {"reward": lead + luck}, "root": labels | {"reward": np.zeros(20)}}

    one, both = Sweep([0.0], [served(0.3)]), Sweep([0.0, 1.0], [served(0.2), served(0.4)])
    found, expected = both.over_root_everywhere("edge", "reward"), one.over_root(0, "edge", "reward")
    assert (found.mean, found.low, found.high) == pytest.approx((0.3, expected.low, expected.high), abs=0.02)
