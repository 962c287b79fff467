from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.buffers import NStepReplayBuffer
from stable_baselines3.common.envs import IdentityEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.d3qn import D3QN, DuelingQNetwork, PrioritizedReplayBuffer, double_q_target
from agents.policies.loading import ROOT_WEIGHTS

SPACE = gym.spaces.Box(0.0, 1.0, (2,), np.float32)


class Corridor(gym.Env[Any, Any]):
    """Reward 1 a step from one constant observation; the episode ends after two steps, as told."""

    observation_space = SPACE
    action_space = gym.spaces.Discrete(3)

    def __init__(self, truncates: bool = False) -> None:
        self.truncates = truncates

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        done = self.steps == 2
        return np.full(2, self.steps / 2, np.float32), 1.0, done and not self.truncates, done and self.truncates, {}


def parameters(agent: DQN) -> th.Tensor:
    return th.cat([parameter.detach().flatten() for parameter in agent.policy.parameters()])


def small(env: Any, **kwargs: Any) -> D3QN:
    return D3QN("MlpPolicy", env, device="cpu", buffer_size=64, **kwargs)


def linear(agent: D3QN, network: Any, weight: list[list[float]], bias: list[float]) -> None:
    layer = network.q_net[-1]
    layer.weight.data, layer.bias.data = th.tensor(weight), th.tensor(bias)


@pytest.mark.parametrize(("double", "bootstrap"), [(True, 2.0), (False, 7.0)])
def test_update_moves_q_by_hand_computed_gradient(double: bool, bootstrap: float) -> None:
    agent = small(
        Corridor(),
        double=double,
        gamma=0.5,
        learning_rate=0.1,
        policy_kwargs={"net_arch": [], "dueling": False, "optimizer_class": th.optim.SGD},
    )
    agent.set_logger(_silent())
    zero = [[0.0, 0.0]] * 3
    linear(agent, agent.q_net, zero, [2.5, 3.0, 0.0])  # the online network chooses action 1
    linear(agent, agent.q_net_target, zero, [7.0, 2.0, 1.0])
    here, there = np.zeros((1, 2), np.float32), np.ones((1, 2), np.float32)
    agent.replay_buffer.add(here, there, np.array([[0]]), np.array([1.0]), np.array([False]), [{}])
    target = 1.0 + 0.5 * bootstrap
    gradient = np.clip(2.5 - target, -1.0, 1.0)  # of Huber's loss
    agent.train(gradient_steps=1, batch_size=4)
    bias = agent.q_net.q_net[-1].bias.tolist()
    assert bias == pytest.approx([2.5 - 0.1 * gradient, 3.0, 0.0])


def test_terminated_does_not_bootstrap_and_truncated_does() -> None:
    values = {}
    for truncates in (False, True):
        env = DummyVecEnv([lambda truncates=truncates: Corridor(truncates)])
        agent = small(env, learning_starts=1000, seed=0)
        agent.learn(20)
        batch = agent.replay_buffer._get_samples(np.arange(20))
        last = batch.next_observations[:, 0] == 1.0
        assert last.sum() == 10
        values[truncates] = double_q_target(batch.rewards, batch.dones, 0.5, th.ones(20, 3), 4.0 * th.ones(20, 3))[last]
    assert set(values[False].flatten().tolist()) == {1.0}
    assert set(values[True].flatten().tolist()) == {3.0}


@pytest.mark.parametrize(("ends", "bootstraps"), [((False, False), True), ((True, False), False), ((True, True), True)])
@pytest.mark.parametrize(("n_steps", "prioritized"), [(1, False), (1, True), (2, False), (2, True)])
def test_targets_by_hand_with_ends_and_steps(
    ends: tuple[bool, bool], bootstraps: bool, n_steps: int, prioritized: bool
) -> None:
    """Rewards 0.25 then 0.5, gamma 0.5, Q_target = 4 everywhere, Q = 0: one step of plain gradient descent."""
    agent = small(
        Corridor(),
        gamma=0.5,
        learning_rate=0.1,
        n_steps=n_steps,
        prioritized=prioritized,
        max_grad_norm=100.0,
        policy_kwargs={"net_arch": [], "dueling": False, "optimizer_class": th.optim.SGD},
    )
    agent.set_logger(_silent())
    linear(agent, agent.q_net, [[0.0, 0.0]] * 3, [0.0, 0.0, 0.0])
    linear(agent, agent.q_net_target, [[0.0, 0.0]] * 3, [4.0, 4.0, 4.0])
    done, truncated = ends
    states = np.zeros((3, 1, 2), np.float32)
    infos = [{"TimeLimit.truncated": truncated}]
    agent.replay_buffer.add(states[0], states[1], np.array([[0]]), np.array([0.25]), np.array([False]), [{}])
    agent.replay_buffer.add(states[1], states[2], np.array([[1]]), np.array([0.5]), np.array([done]), infos)
    first = 0.25 + 0.5 * 4.0 if n_steps == 1 else 0.25 + 0.5 * 0.5 + 0.25 * 4.0 * bootstraps
    second = 0.5 + 0.5 * 4.0 * bootstraps
    np.random.seed(0)  # noqa: NPY002  (the stream of stable-baselines3)
    agent.train(gradient_steps=1, batch_size=4096)
    moved = 0.1 * np.array([np.clip(first, -1, 1), np.clip(second, -1, 1)]) / 2  # each is half of the batch
    assert agent.q_net.q_net[-1].bias.tolist() == pytest.approx([*moved, 0.0], abs=0.005)


PLAIN = {"dueling": False}


@pytest.mark.parametrize("n_steps", [1, 3])
def test_without_switches_it_is_stable_baselines3s_dqn_bit_for_bit(n_steps: int) -> None:
    settings: dict[str, Any] = {
        "learning_starts": 32,
        "train_freq": 1,
        "target_update_interval": 40,
        "exploration_fraction": 0.5,
        "n_steps": n_steps,
        "seed": 3,
        "device": "cpu",
    }
    plain = DQN("MlpPolicy", "CartPole-v1", **settings).learn(150)

    def ours(**switches: Any) -> th.Tensor:
        return parameters(D3QN("MlpPolicy", "CartPole-v1", **(settings | switches)).learn(150))

    assert th.equal(parameters(plain), ours(double=False, policy_kwargs=PLAIN))
    assert not th.equal(parameters(plain), ours(double=True, policy_kwargs=PLAIN))
    assert not th.equal(parameters(plain), ours(double=False, policy_kwargs=PLAIN, prioritized=True))
    assert not th.equal(parameters(plain), ours(double=False, policy_kwargs=PLAIN, n_steps=4 - n_steps))
    assert parameters(plain).shape != ours(double=False).shape


def test_updates_on_the_same_transitions_are_dqns_with_several_environments_too() -> None:
    agents = []
    for algorithm, switches in ((DQN, {}), (D3QN, {"double": False, "policy_kwargs": PLAIN})):
        env = DummyVecEnv([Corridor] * 3)
        agent = algorithm("MlpPolicy", env, seed=1, device="cpu", buffer_size=99, **switches)
        agent.set_logger(_silent())
        rng = np.random.default_rng(0)
        for _ in range(40):
            here, there = rng.random((2, 3, 2), dtype=np.float32)
            actions, rewards = rng.integers(3, size=(3, 1)), rng.random(3)
            agent.replay_buffer.add(here, there, actions, rewards, rng.random(3) < 0.2, [{}] * 3)
        np.random.seed(4)  # noqa: NPY002
        agent.train(gradient_steps=20, batch_size=16)
        agents.append(parameters(agent))
    assert th.equal(*agents)


def test_fused_adam_differs_by_rounding_only() -> None:
    agents = []
    for fused in (False, True):
        agent = small(Corridor(), seed=0, learning_starts=8, policy_kwargs={"optimizer_kwargs": {"fused": fused}})
        agents.append(parameters(agent.learn(60)))
    assert th.allclose(agents[0], agents[1], atol=1e-5)


def test_same_seed_same_agent_other_seed_other_agent() -> None:
    def train(seed: int) -> th.Tensor:
        env = DummyVecEnv([Corridor, Corridor])
        return parameters(small(env, seed=seed, learning_starts=8, train_freq=1, target_update_interval=20).learn(100))

    assert th.equal(train(1), train(1))
    assert not th.equal(train(1), train(2))


def test_save_and_load_keep_actions_and_switches(tmp_path: Path) -> None:
    agent = small(Corridor(), double=False, seed=0, policy_kwargs={"net_arch": [8]})
    agent.save(tmp_path / "policy.zip")
    loaded = D3QN.load(tmp_path / "policy.zip", env=Corridor())
    observations = np.random.default_rng(0).random((50, 2), dtype=np.float32)
    assert not loaded.double
    assert isinstance(loaded.q_net, DuelingQNetwork)
    actions = agent.predict(observations, deterministic=True)[0]
    assert np.array_equal(actions, loaded.predict(observations, deterministic=True)[0])
    loaded.learn(10)


@pytest.mark.parametrize("prioritized", [False, True])
def test_save_and_load_keep_steps_and_replay(prioritized: bool, tmp_path: Path) -> None:
    kwargs = {"replay_buffer_kwargs": {"alpha": 0.3}} if prioritized else {}
    agent = small(Corridor(), n_steps=3, gamma=0.5, prioritized=prioritized, seed=0, learning_starts=8, **kwargs)
    agent.learn(40).save(tmp_path / "policy.zip")
    agent.save_replay_buffer(tmp_path / "replay.pkl")
    loaded = D3QN.load(tmp_path / "policy.zip", env=Corridor())
    buffer: Any = loaded.replay_buffer
    assert (buffer.n_steps, buffer.gamma) == (3, 0.5)
    assert isinstance(buffer, PrioritizedReplayBuffer) == prioritized
    assert not prioritized or buffer.alpha == 0.3
    loaded.load_replay_buffer(tmp_path / "replay.pkl")
    trained = []
    for each in (agent, loaded):
        each.set_logger(_silent())
        np.random.seed(2)  # noqa: NPY002
        each.train(gradient_steps=5, batch_size=8)
        trained.append(parameters(each))
    assert th.equal(*trained)


def test_the_shipped_root_loads() -> None:
    agent = D3QN.load(ROOT_WEIGHTS["root_alignment"], device="cpu")
    assert isinstance(agent.q_net, DuelingQNetwork)
    assert not agent.prioritized


def test_each_environment_explores_by_itself() -> None:
    agent = small(DummyVecEnv([Corridor] * 4), seed=0)
    agent.exploration_rate = 0.5
    observations = np.zeros((2000, 2), np.float32)
    greedy = agent.predict(observations, deterministic=True)[0]
    share = (agent.predict(observations)[0] != greedy).mean()
    assert share == pytest.approx(0.5 * 2 / 3, abs=0.04)


@pytest.mark.parametrize(
    ("dueling", "n_steps", "prioritized"), [(True, 1, False), (False, 1, False), (True, 1, True), (True, 2, False)]
)
def test_learns_the_identity(dueling: bool, n_steps: int, prioritized: bool) -> None:
    env = DummyVecEnv([lambda: IdentityEnv(dim=4)])
    agent = D3QN(
        "MlpPolicy",
        env,
        seed=0,
        device="cpu",
        gamma=0.5,
        learning_rate=1e-3,
        buffer_size=1000,
        learning_starts=100,
        train_freq=1,
        target_update_interval=50,
        exploration_fraction=0.5,
        n_steps=n_steps,
        prioritized=prioritized,
        policy_kwargs={"dueling": dueling},
    ).learn(1000)
    assert agent.predict(np.arange(4), deterministic=True)[0].tolist() == [0, 1, 2, 3]


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="doubel"):
        D3QN("MlpPolicy", Corridor(), doubel=True)
    with pytest.raises(ValueError, match=r"prioritized .*NStepReplayBuffer"):
        small(Corridor(), prioritized=True, replay_buffer_class=NStepReplayBuffer)


def _silent() -> Any:
    from stable_baselines3.common.logger import Logger

    return Logger(None, [])
