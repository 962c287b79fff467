from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.envs import IdentityEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.linucb import LinUCB, LinUCBPolicy, monomial_indices


def policy(num_inputs: int = 2, num_actions: int = 3, **settings: Any) -> LinUCBPolicy:
    space = Box(-1.0, 1.0, (num_inputs,), np.float32)
    return LinUCBPolicy(space, Discrete(num_actions), lambda _: 0.0, **settings)


def served(num_requests: int, seed: int = 0) -> tuple[th.Tensor, th.Tensor, th.Tensor]:
    rng = np.random.default_rng(seed)
    observations = rng.uniform(-1, 1, (num_requests, 2)).astype(np.float32)
    return (
        th.from_numpy(observations),
        th.from_numpy(rng.integers(3, size=num_requests)),
        th.from_numpy(rng.normal(size=num_requests)),
    )


@pytest.mark.parametrize(("num_inputs", "degree"), [(2, 1), (7, 2), (3, 3)])
def test_number_of_monomials(num_inputs: int, degree: int) -> None:
    assert len(monomial_indices(num_inputs, degree)) == comb(num_inputs + degree, degree)


def test_contexts_by_hand() -> None:
    contexts = policy(degree=2).contexts(th.tensor([[0.5, -1.0]]))
    assert contexts.tolist() == [[0.25, -0.5, 0.5, 1.0, -1.0, 1.0]]  # xx, xy, x, yy, y, 1


def test_estimate_and_uncertainty_are_those_of_ridge_regression() -> None:
    learner = policy(ridge=0.3)
    observations, actions, rewards = served(50)
    for start in range(0, 50, 10):  # batches change nothing
        rows = slice(start, start + 10)
        learner.update(observations[rows], actions[rows], rewards[rows])
    x = learner.contexts(observations).numpy()
    asked, _, _ = served(7, seed=1)
    estimate, optimistic = learner.scores(asked, 0.0).numpy(), learner.scores(asked, 2.0).numpy()
    for action in range(3):
        rows = (actions == action).numpy()
        gram = 0.3 * np.eye(3) + x[rows].T @ x[rows]
        theta = np.linalg.solve(gram, x[rows].T @ rewards.numpy()[rows])
        context = learner.contexts(asked).numpy()
        width = np.sqrt(np.sum(context * np.linalg.solve(gram, context.T).T, axis=1))
        np.testing.assert_allclose(estimate[:, action], context @ theta, atol=1e-12)
        np.testing.assert_allclose(optimistic[:, action], context @ theta + 2.0 * width, atol=1e-12)


def test_unseen_actions_keep_their_prior() -> None:
    learner = policy(ridge=4.0)
    observations, _, rewards = served(20)
    learner.update(observations, th.zeros(20, dtype=th.int64), rewards)
    x = learner.contexts(observations)
    assert learner.scores(observations, 0.0)[:, 1].abs().max() == 0
    np.testing.assert_allclose(learner.scores(observations, 1.0)[:, 1], x.norm(dim=1) / 2.0)


def test_uncertainty_makes_it_try_what_it_has_not() -> None:
    learner = policy(alpha=1.0)
    observation = th.zeros(1, 2)
    learner.update(observation, th.tensor([0]), th.tensor([0.1]))
    assert learner(observation, deterministic=True).item() == 0
    assert learner(observation).item() == 1


class Middle(gym.Env[Any, Any]):
    """Action 0 pays one half everywhere, action 1 pays 1 beyond one half of either side and nothing between."""

    observation_space = Box(-1.0, 1.0, (1,), np.float32)
    action_space = Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.x = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.x, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = float(abs(self.x[0]) > 0.5) if action else 0.5
        self.x = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.x, reward, False, False, {}


def test_learns_the_identity() -> None:
    env = DummyVecEnv([lambda: IdentityEnv(dim=4)] * 2)
    agent = LinUCB("MlpPolicy", env, seed=0, device="cpu").learn(200)
    assert agent.predict(np.arange(4), deterministic=True)[0].tolist() == [0, 1, 2, 3]


def test_same_seed_same_agent_other_seed_other_agent() -> None:
    agents = [LinUCB("MlpPolicy", Middle(), seed=seed, device="cpu").learn(100) for seed in (0, 0, 1)]
    assert th.equal(agents[0].policy.gram, agents[1].policy.gram)
    assert not th.equal(agents[0].policy.gram, agents[2].policy.gram)


def test_a_rule_with_two_thresholds_needs_squares() -> None:
    asked = np.array([[-0.9], [0.0], [0.9]], np.float32)
    flat, square = (LinUCB("MlpPolicy", Middle(), degree=degree, seed=0, device="cpu").learn(400) for degree in (1, 2))
    assert square.predict(asked, deterministic=True)[0].tolist() == [1, 0, 1]
    assert flat.predict(asked, deterministic=True)[0].tolist() != [1, 0, 1]


def test_save_and_load_keep_what_was_learnt_and_learning_goes_on(tmp_path: Path) -> None:
    env = DummyVecEnv([lambda: IdentityEnv(dim=4)])
    agent = LinUCB("MlpPolicy", env, alpha=0.5, ridge=2.0, degree=2, seed=0, device="cpu").learn(50)
    agent.save(tmp_path / "agent.zip")
    loaded = LinUCB.load(tmp_path / "agent.zip", env=env, device="cpu")
    assert (loaded.policy.alpha, loaded.policy.ridge, loaded.policy.degree) == (0.5, 2.0, 2)
    for name in ("gram", "moment", "inverse", "theta"):
        assert th.equal(getattr(agent.policy, name), getattr(loaded.policy, name))
    loaded.learn(50, reset_num_timesteps=False)
    assert loaded.num_timesteps == 100


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"alpha": -1.0}, "alpha must be a finite number >= 0"),
        ({"ridge": 0.0}, "ridge must be a finite number > 0"),
        ({"degree": 0}, "degree must be"),
    ],
)
def test_numbers_out_of_bounds_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LinUCB("MlpPolicy", gym.make("CartPole-v1"), **settings)


def test_other_than_discrete_actions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"LinUCB needs discrete actions, the environment has Box"):
        LinUCB("MlpPolicy", gym.make("Pendulum-v1"))
