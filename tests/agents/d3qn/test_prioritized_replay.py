from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.buffers import NStepReplayBuffer

from agents.d3qn.prioritized_replay import EPSILON, PrioritizedReplayBuffer

SPACES = gym.spaces.Box(0.0, 1000.0, (1,), np.float32), gym.spaces.Discrete(3)
FIELDS = ("observations", "actions", "next_observations", "dones", "rewards", "discounts")


def fill(buffer: Any, steps: int, seed: int = 0) -> Any:
    """Numbered transitions with random rewards, terminations and truncations."""
    rng, envs = np.random.default_rng(seed), buffer.n_envs
    for step in range(steps):
        ends, late = rng.random(envs) < 0.3, rng.random(envs) < 0.5
        here = np.full((envs, 1), step, np.float32) + np.arange(envs)[:, None] / 10
        infos = [{"TimeLimit.truncated": bool(flag)} for flag in ends & late]
        buffer.add(here, here + 1, rng.integers(3, size=(envs, 1)), rng.random(envs), ends, infos)
    return buffer


def make(size: int = 16, envs: int = 1, **kwargs: Any) -> PrioritizedReplayBuffer:
    return PrioritizedReplayBuffer(size, *SPACES, device="cpu", n_envs=envs, **kwargs)


@pytest.mark.parametrize("steps", [10, 16, 37])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_samples_are_those_of_stable_baselines3(steps: int, n_steps: int) -> None:
    theirs = fill(NStepReplayBuffer(16, *SPACES, device="cpu", n_steps=n_steps, gamma=0.9), steps)
    ours = fill(make(n_steps=n_steps, gamma=0.9), steps)
    np.random.seed(0)  # noqa: NPY002  (the stream of stable-baselines3)
    sample = ours.sample(200)
    expected = theirs._get_samples(sample.entries)
    assert {*sample.entries} == set(range(min(steps, 16)))
    for field in FIELDS:
        assert getattr(sample, field).dtype == getattr(expected, field).dtype
        np.testing.assert_allclose(getattr(sample, field), getattr(expected, field), rtol=1e-6)


def test_transitions_come_in_proportion_to_their_priority() -> None:
    buffer = fill(make(size=8, envs=2, alpha=0.5, beta=1.0), 4)  # eight transitions, two a row
    errors = np.arange(8.0)
    buffer.update_priorities(np.arange(8), errors)
    chances = (errors + EPSILON) ** 0.5 / ((errors + EPSILON) ** 0.5).sum()
    np.random.seed(0)  # noqa: NPY002
    sample = buffer.sample(20_000)
    shares = np.bincount(sample.entries, minlength=8) / 20_000
    assert shares == pytest.approx(chances, abs=1e-3)  # stratified: far below the error of independent draws
    least = chances[np.unique(sample.entries)].min()
    assert sample.weights[:, 0].numpy() == pytest.approx(least / chances[sample.entries], rel=1e-4)
    # row 3 of environment 1 is entry 7
    assert sample.observations[sample.entries == 7].unique().tolist() == pytest.approx([3.1])


def test_importance_weights_go_from_beta_to_one() -> None:
    buffer = fill(make(alpha=1.0, beta=0.5), 2)
    buffer.update_priorities(np.array([0, 1]), np.array([1.0, 4.0]))
    for remaining, expected in ((1.0, 0.5), (0.5, 0.25**0.75), (0.0, 0.25)):
        buffer.progress_remaining = remaining
        sample = buffer.sample(50)
        assert set(sample.weights[sample.entries == 0].flatten().tolist()) == {1.0}
        assert sample.weights[sample.entries == 1].mean().item() == pytest.approx(expected, rel=1e-4)


def test_a_new_transition_has_the_largest_priority() -> None:
    buffer = fill(make(alpha=1.0), 2)
    buffer.update_priorities(np.array([0, 1]), np.array([9.0, 0.001]))
    fill(buffer, 1)
    shares = np.bincount(buffer.sample(1000).entries) / 1000
    assert shares == pytest.approx([0.5, 0.0, 0.5], abs=0.01)


def test_a_pickled_buffer_goes_on_bit_for_bit() -> None:
    buffer = fill(make(), 20)
    buffer.update_priorities(np.arange(16), np.linspace(0.1, 2.0, 16))
    other = pickle.loads(pickle.dumps(buffer))
    samples = []
    for each in (buffer, other):
        np.random.seed(1)  # noqa: NPY002
        samples.append([fill(each, 1, seed=5).sample(8) for _ in range(3)])
    for one, two in zip(*samples, strict=True):
        assert all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))


def test_reset_forgets() -> None:
    buffer = fill(make(), 20)
    buffer.reset()
    assert set(fill(buffer, 2).sample(30).entries) == {0, 1}


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"alpha": 1.5}, "alpha must be a finite number in .0, 1., got 1.5"),
        ({"beta": -1}, "beta"),
        ({"n_steps": 0}, "n_steps must be an integer >= 1, got 0"),
        ({"optimize_memory_usage": True, "handle_timeout_termination": False}, "optimize_memory_usage"),
    ],
)
def test_bad_settings_are_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**kwargs)
