from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecNormalize

from agents.d3qn import D3QN
from agents.sb3_vec_env import SB3VecEnv
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile


class Counter(gym.vector.VectorEnv[Any, Any, Any]):
    """Environment n counts its steps and its reward is n + 1; 0 terminates after 2 steps, 1 is truncated after 3."""

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}
    render_mode = None

    def __init__(self) -> None:
        self.num_envs = 2
        self.single_observation_space = gym.spaces.Box(0.0, 5.0, (1,), np.float32)
        self.single_action_space = gym.spaces.Discrete(2)
        self.seed: int | None = None

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.seed = seed
        self.count = np.zeros(2)
        return self._observations(), {}

    def step(self, actions: Any) -> Any:
        self.count += 1
        final = self._observations()
        terminated, truncated = self.count == [2, 9], self.count == [9, 3]
        done = terminated | truncated
        self.count[done] = 0
        info = {"final_obs": final, "_final_obs": done} if done.any() else {}
        return self._observations(), np.array([1.0, 2.0]), terminated, truncated, info

    def _observations(self) -> Any:
        return self.count[:, None].astype(np.float32)


def test_ends_of_episodes_are_told_apart() -> None:
    env = SB3VecEnv(Counter())
    assert env.reset().tolist() == [[0.0], [0.0]]
    steps = [env.step(np.zeros(2, int)) for _ in range(3)]
    assert [step[2].tolist() for step in steps] == [[False, False], [True, False], [False, True]]
    assert steps[0][3] == [{}, {}]
    ended = steps[1][3][0]
    assert (ended["terminal_observation"].tolist(), ended["TimeLimit.truncated"]) == ([2.0], False)
    assert ended["episode"] == {"r": 2.0, "l": 2}
    assert steps[1][0].tolist() == [[0.0], [2.0]]
    cut = steps[2][3][1]
    assert (cut["terminal_observation"].tolist(), cut["TimeLimit.truncated"]) == ([3.0], True)
    assert cut["episode"] == {"r": 6.0, "l": 3}


def test_seed_reaches_the_batch_once() -> None:
    env = SB3VecEnv(Counter())
    env.seed(5)
    env.reset()
    assert env.get_attr("seed") == [5, 5]
    env.reset()
    assert env.get_attr("seed", indices=0) == [None]


def test_attributes_and_methods_are_the_batchs() -> None:
    env = SB3VecEnv(Counter())
    env.set_attr("label", "x")
    assert env.get_attr("label") == ["x", "x"]
    assert env.env_is_wrapped(gym.Wrapper) == [False, False]
    env.reset()
    assert len(env.env_method("_observations")) == 2
    with pytest.raises(ValueError, match="indices"):
        env.set_attr("label", "y", indices=[0])


def test_masks_are_all_true_where_the_environment_has_none() -> None:
    env = SB3VecEnv(Counter())
    assert is_masking_supported(env)
    assert get_action_masks(env).tolist() == [[True, True], [True, True]]


def test_masks_are_the_environments_row_by_row() -> None:
    inner = Counter()
    inner.action_masks = lambda: np.array([[1, 0], [1, 1]], np.int8)  # type: ignore[attr-defined]
    masks = get_action_masks(SB3VecEnv(inner))
    assert (masks.tolist(), masks.dtype) == ([[True, False], [True, True]], np.bool_)


def test_other_autoreset_modes_are_refused() -> None:
    inner = Counter()
    inner.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    with pytest.raises(ValueError, match="SAME_STEP"):
        SB3VecEnv(inner)


def test_a_vector_of_rewards_is_refused(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="got a vector"):
        SB3VecEnv(SplitVectorEnv(2, profile=profile, reward="vector"))


def test_stable_baselines3_stores_true_successors() -> None:
    agent = D3QN("MlpPolicy", SB3VecEnv(Counter()), buffer_size=100, train_freq=1, seed=0, device="cpu")
    agent.learn(12)
    buffer = agent.replay_buffer
    assert buffer is not None
    assert np.array_equal(buffer.next_observations[:6], buffer.observations[:6] + 1)
    assert buffer.timeouts[:6, 1].tolist() == [0, 0, 1, 0, 0, 1]
    assert len(agent.ep_info_buffer) == 5


def test_on_policy_agents_run() -> None:
    PPO("MlpPolicy", SB3VecEnv(Counter()), n_steps=6, batch_size=6, n_epochs=1, seed=0, device="cpu").learn(24)


def test_it_counts_episodes_as_monitor_does(profile: QualityProfile) -> None:
    env = SB3VecEnv(SplitVectorEnv(3, profile=profile, episode_length=4))
    assert env.env_is_wrapped(Monitor) == [True, True, True]
    assert env.env_is_wrapped(Monitor, indices=[0, 2]) == [True, True]
    assert env.env_is_wrapped(gym.wrappers.TimeLimit) == [False, False, False]
    agent = PPO("MlpPolicy", VecNormalize(env), n_steps=4, batch_size=12, seed=0, device="cpu")
    counted = []
    for norm_reward in (True, False):
        env.seed(0)
        seen = VecNormalize(env, training=False, norm_reward=norm_reward)
        counted.append(evaluate_policy(agent, seen, 6, return_episode_rewards=True))  # a warning would be an error
    assert counted[0] == counted[1]
    assert counted[0][1] == [4] * 6
