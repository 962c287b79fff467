"""What a policy's `predict` is given, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents import evaluate
from agents.policies.acting import OFFERED, Adapted, taken_by
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)


def vector_env(num_envs: int = 4, **settings: Any) -> SplitVectorEnv:
    return SplitVectorEnv(num_envs, profile=PROFILE, episode_length=5, **settings)


class All:
    def predict(self, observation, state=None, episode_start=None, deterministic=False, action_masks=None):  # type: ignore[no-untyped-def]
        raise NotImplementedError


class Keywords:
    def predict(self, observation, **others):  # type: ignore[no-untyped-def]
        raise NotImplementedError


class Alone:
    def predict(self, observation):  # type: ignore[no-untyped-def]
        return np.zeros(len(observation), np.int64), None


class Needs:
    def predict(self, observation, goal, state=None, *, time):  # type: ignore[no-untyped-def]
        raise NotImplementedError


class Blind:
    def predict(self, *, state):  # type: ignore[no-untyped-def]
        raise NotImplementedError


class Bare:
    def predict(self, observation):  # type: ignore[no-untyped-def]
        return np.zeros(len(observation), np.int64)


class Continuous:
    def predict(self, observation):  # type: ignore[no-untyped-def]
        return observation[:, 0], None


def test_it_is_given_what_it_names() -> None:
    assert taken_by(All()) == OFFERED
    assert taken_by(Keywords()) == ("state", "episode_start", "deterministic")
    assert taken_by(Alone()) == ()
    assert (evaluate(Alone(), vector_env(), 8, seed=0)["action"] == 0).all()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Needs(), "Needs.predict needs goal, time; it is given the observations and, by name, state, episode_start"),
        (Blind(), "Blind.predict takes no observation"),
        (object(), r"object has no predict\(observation"),
        (Bare(), r"Bare.predict must give \(actions, state\), got ndarray"),
        (Continuous(), "Continuous.predict must give integers as actions, got float32"),
    ],
)
def test_what_is_not_supported_is_named(policy: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        evaluate(policy, vector_env(), 8, seed=0)


def test_a_memory_starts_anew_with_each_session() -> None:
    class Counts:
        def predict(self, observation, state, episode_start):  # type: ignore[no-untyped-def]
            assert (state is None) == (not calls)
            calls.append(episode_start.copy())
            served = np.zeros(len(observation), np.int64) if state is None else state + 1
            served[episode_start] = 0
            return served, served

    calls: list[Any] = []
    served = evaluate(Counts(), vector_env(4), 4 * 12, seed=0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(served["action"].reshape(12, 4), np.tile(np.arange(12) % 5, (4, 1)).T)
    assert [bool(starts.all()) for starts in calls] == [step % 5 == 0 for step in range(12)]


def test_masks_are_those_of_the_present_requests() -> None:
    class FirstPossible:
        def predict(self, observation, action_masks):  # type: ignore[no-untyped-def]
            np.testing.assert_array_equal(action_masks, env.action_masks())
            return action_masks.argmax(axis=1), None

    env = vector_env(scenario={"name": "battery", "battery_j": [100.0, 3000.0]}, plans=["local_aigc", "edge_aigc"])
    actions = evaluate(FirstPossible(), env, 200, seed=0)["action"]  # type: ignore[arg-type]
    assert set(actions) == {0, 1}


def test_masks_of_one_environment_and_of_none() -> None:
    class Told:
        def predict(self, observation, action_masks):  # type: ignore[no-untyped-def]
            told.append(action_masks)
            return np.zeros(np.shape(observation)[:-1], np.int64), None

    told: list[Any] = []
    env = vector_env(1)
    observations, _ = env.reset(seed=0)
    for adapted, observation in ((Adapted(Told(), env), observations[0]), (Adapted(Told()), observations)):
        adapted.predict(observation)
    assert told[0].shape == (1, 21)
    assert told[1] is None
