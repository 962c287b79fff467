from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from stable_baselines3.common.envs import IdentityEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from agents.d2sac import D2SAC
from agents.d2sac.algorithm import soft_target, soft_value

TINY: dict[str, Any] = {
    "device": "cpu",
    "buffer_size": 500,
    "learning_starts": 8,
    "batch_size": 8,
    "policy_kwargs": {"net_arch": [8], "num_denoising_steps": 2},
}


def identity(num_envs: int = 1, dim: int = 4) -> DummyVecEnv:
    return DummyVecEnv([lambda: IdentityEnv(dim=dim)] * num_envs)


def parameters(agent: D2SAC) -> th.Tensor:
    return th.cat([parameter.detach().flatten() for parameter in agent.policy.parameters()])


def test_soft_value_by_hand() -> None:
    logits = th.log(th.tensor([[0.25, 0.75]]))
    q = th.tensor([[4.0, 8.0]])
    assert soft_value(logits, q, 0.0).item() == pytest.approx(7.0)
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert soft_value(logits, q, 0.5).item() == pytest.approx(7.0 + 0.5 * entropy)


def test_soft_value_is_largest_at_the_softmax_of_the_values() -> None:
    """Its maximum over policies is `c log sum_a exp(q_a / c)`, at pi = softmax(q / c)."""
    q, c = th.tensor([[1.0, 0.3, -0.5]]), 0.4
    assert soft_value(q / c, q, c).item() == pytest.approx((c * th.logsumexp(q / c, dim=1)).item(), rel=1e-5)
    assert soft_value(q / c + th.tensor([[0.3, 0.0, 0.0]]), q, c).item() < soft_value(q / c, q, c).item()


def test_target_by_hand_masks_termination_and_bootstraps_truncation() -> None:
    logits = th.log(th.tensor([[0.5, 0.5], [0.5, 0.5]]))
    q = th.tensor([[2.0, 6.0], [2.0, 6.0]])
    rewards, dones = th.tensor([[1.0], [1.0]]), th.tensor([[0.0], [1.0]])
    assert soft_target(rewards, dones, 0.5, logits, q).tolist() == [[3.0], [1.0]]
    with_entropy = soft_target(rewards, dones, 0.5, logits, q, ent_coef=2.0)
    assert with_entropy.flatten().tolist() == pytest.approx([3.0 + 0.5 * 2.0 * np.log(2), 1.0])


def test_critics_learn_the_target_and_the_smaller_one_leads() -> None:
    """One transition that terminates: both critics go to its reward, whatever they and the slow ones said."""
    agent = D2SAC("MlpPolicy", identity(dim=2), seed=0, learning_rate=1e-2, tau=1.0, **TINY)
    agent.set_logger(_silent())
    here, there = np.array([[0]]), np.array([[1]])
    agent.replay_buffer.add(here, there, np.array([1]), np.array([0.7]), np.array([True]), [{}])  # type: ignore[union-attr]
    agent.train(gradient_steps=60, batch_size=4)
    features = agent.policy.features(th.tensor([[0]]))
    first, second = agent.policy.critic(features)
    assert first[0, 1].item() == pytest.approx(0.7, abs=0.01)
    assert second[0, 1].item() == pytest.approx(0.7, abs=0.01)
    assert th.equal(agent.policy.critic.smaller(features), th.minimum(first, second))


def test_slow_networks_follow_by_tau() -> None:
    agent = D2SAC("MlpPolicy", identity(), seed=0, tau=0.25, **TINY)
    before = agent.policy.critic_target.first[0].weight.clone()
    agent.learn(9)  # one update
    after = agent.policy.critic.first[0].weight
    assert th.allclose(agent.policy.critic_target.first[0].weight, 0.75 * before + 0.25 * after)


def test_actor_has_its_own_learning_rate() -> None:
    agent = D2SAC("MlpPolicy", identity(), seed=0, learning_rate=2e-3, actor_lr_scale=0.1, **TINY)
    agent.learn(9)
    rates = [
        optimizer.param_groups[0]["lr"] for optimizer in (agent.policy.critic_optimizer, agent.policy.actor_optimizer)
    ]
    assert rates == pytest.approx([2e-3, 2e-4])


def test_learns_the_identity() -> None:
    agent = D2SAC(
        "MlpPolicy",
        identity(4),
        seed=0,
        device="cpu",
        gamma=0.5,
        learning_starts=100,
        batch_size=32,
        learning_rate=3e-3,
        actor_lr_scale=1.0,
        policy_kwargs={"net_arch": [32], "num_denoising_steps": 3, "temperature": 5.0},
    ).learn(500)
    assert agent.predict(np.arange(4), deterministic=True)[0].tolist() == [0, 1, 2, 3]


def test_same_seed_same_agent_other_seed_other_agent() -> None:
    def train(seed: int) -> th.Tensor:
        return parameters(D2SAC("MlpPolicy", "CartPole-v1", seed=seed, **TINY).learn(30))

    assert th.equal(train(1), train(1))
    assert not th.equal(train(1), train(2))


def test_decisions_without_noise_do_not_depend_on_the_batch_or_the_generator() -> None:
    agent = D2SAC("MlpPolicy", gym.make("CartPole-v1"), seed=0, **TINY)
    observations = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    batch = agent.predict(observations, deterministic=True)[0]
    one_by_one = [int(agent.predict(observation, deterministic=True)[0]) for observation in observations]
    assert batch.tolist() == one_by_one
    assert len({tuple(agent.predict(observations)[0].tolist()) for _ in range(5)}) > 1


def test_save_and_load_keep_decisions_and_learning_goes_on(tmp_path: Path) -> None:
    agent = D2SAC("MlpPolicy", identity(), seed=0, entropy_in_target=True, **TINY).learn(40)
    agent.save(tmp_path / "agent.zip")
    loaded = D2SAC.load(tmp_path / "agent.zip", env=identity(), device="cpu")
    assert loaded.entropy_in_target
    assert th.equal(parameters(agent), parameters(loaded))
    for name in ("actor_optimizer", "critic_optimizer"):
        old, new = (getattr(one.policy, name).state_dict()["state"] for one in (agent, loaded))
        assert old.keys() == new.keys() != set()
        assert all(th.equal(old[key]["exp_avg"], new[key]["exp_avg"]) for key in old)
    actions, again = (one.predict(np.arange(4), deterministic=True)[0] for one in (agent, loaded))
    assert actions.tolist() == again.tolist()
    loaded.learn(20)


def test_other_than_discrete_actions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"D2SAC needs discrete actions, the environment has Box"):
        D2SAC("MlpPolicy", gym.make("Pendulum-v1"))


@pytest.mark.parametrize("name", ["ent_coef", "actor_lr_scale"])
def test_negative_numbers_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be a finite number >= 0, got -1"):
        D2SAC("MlpPolicy", identity(), **{name: -1})


def _silent() -> Any:
    from stable_baselines3.common.logger import Logger

    return Logger(None, [])
