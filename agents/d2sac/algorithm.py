"""D2SAC as a stable-baselines3 algorithm: replay, saving, loading, logging and callbacks are the library's."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch as th
from gymnasium import spaces
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import polyak_update, update_learning_rate
from torch.nn import functional

from agents.d2sac.policy import D2SACPolicy
from envs import checks


def soft_value(logits: th.Tensor, q: th.Tensor, ent_coef: float) -> th.Tensor:
    """Value of a categorical policy with a bonus for its entropy, [B, 1]: `sum_a pi_a (q_a - ent_coef log pi_a)`.

    Source: Christodoulou, "Soft Actor-Critic for Discrete Action Settings" (2019), eq. 10.

    Args:
        logits: float [B, A]; pi is their softmax.
        q: float [B, A], values of the actions.
        ent_coef: weight of the entropy.
    """
    log_pi = functional.log_softmax(logits, dim=1)
    return (log_pi.exp() * (q - ent_coef * log_pi)).sum(dim=1, keepdim=True)


def soft_target(
    rewards: th.Tensor,
    dones: th.Tensor,
    discount: float | th.Tensor,
    next_logits: th.Tensor,
    next_q: th.Tensor,
    ent_coef: float = 0.0,
) -> th.Tensor:
    """Target of the critics, float [B, 1]: `r + (1 - done) discount V(s')`, V the soft value of the slow networks.

    Source: Christodoulou (2019), eq. 3; with `ent_coef = 0` that of Du et al. (2024).

    Args:
        rewards: float [B, 1].
        dones: float [B, 1]; 1 where the episode terminated, 0 elsewhere, also where it was truncated.
        discount: gamma, or float [B, 1].
        next_logits: float [B, A], the slow actor's for the next state.
        next_q: float [B, A], the smaller of the slow critics' values.
        ent_coef: weight of the entropy.
    """
    return rewards + (1 - dones) * discount * soft_value(next_logits, next_q, ent_coef)


class D2SAC(OffPolicyAlgorithm):
    """Deep diffusion soft actor-critic for discrete actions.

    The actor's logits come out of a short diffusion chain (`agents.d2sac.diffusion_actor`); its loss is minus the soft
    value under the smaller of two critics, differentiated through the whole chain. The defaults are the paper's.

    Source: Du et al., "Diffusion-based Reinforcement Learning for Edge-enabled AI-Generated Content Services", IEEE
    Transactions on Mobile Computing (2024). There the targets hold no entropy (`entropy_in_target=False`); they do in
    the soft actor-critic that it builds on.

    Deviation: the authors' code has targets over three steps; the paper's, over one, are the default (`n_steps=3` is
        theirs).

    Args:
        policy: "MlpPolicy", or a subclass of `D2SACPolicy`.
        env: environment with discrete actions, its id, or a stable-baselines3 `VecEnv` (see `agents.SB3VecEnv`).
        learning_rate: of the critics, or its schedule.
        actor_lr_scale: the actor's learning rate as a multiple of it.
        ent_coef: weight of the entropy in the actor's loss; the paper's temperature.
        entropy_in_target: whether the critics' targets hold it too.
        target_update_interval: gradient steps between updates of the slow networks, by `tau`.
        kwargs: as of stable-baselines3's `OffPolicyAlgorithm`, by default with `learning_starts=1_000, batch_size=512,
            gamma=0.95`; `policy_kwargs` as of `D2SACPolicy`.

    Raises:
        ValueError: actions that are not discrete, or a negative `ent_coef` or `actor_lr_scale`.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": D2SACPolicy}
    policy: D2SACPolicy

    def __init__(
        self,
        policy: str | type[D2SACPolicy],
        env: Any,
        learning_rate: Any = 1e-3,
        *,
        actor_lr_scale: float = 0.1,
        ent_coef: float = 0.05,
        entropy_in_target: bool = False,
        target_update_interval: int = 1,
        _init_setup_model: bool = True,
        **kwargs: Any,
    ) -> None:
        checks.number("ent_coef", ent_coef, 0)
        checks.number("actor_lr_scale", actor_lr_scale, 0)
        kwargs = {"learning_starts": 1_000, "batch_size": 512, "gamma": 0.95} | kwargs
        super().__init__(policy, env, learning_rate, support_multi_env=True, sde_support=False, **kwargs)
        self.actor_lr_scale = actor_lr_scale
        self.ent_coef = ent_coef
        self.entropy_in_target = entropy_in_target
        self.target_update_interval = target_update_interval
        if env is not None and not isinstance(self.action_space, spaces.Discrete):
            raise ValueError(f"D2SAC needs discrete actions, the environment has {self.action_space}")
        if _init_setup_model:
            self._setup_model()

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Do `gradient_steps` updates of critics and actor, each on `batch_size` transitions of the replay buffer."""
        policy = self.policy
        policy.set_training_mode(True)
        self._update_learning_rate(policy.critic_optimizer)
        rate = self.actor_lr_scale * self.lr_schedule(self._current_progress_remaining)
        update_learning_rate(policy.actor_optimizer, rate)
        critic_losses, actor_losses = [], []
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size, env=self._vec_normalize_env)  # type: ignore[union-attr]
            features = policy.features(batch.observations)
            with th.no_grad():
                after = policy.features(batch.next_observations)
                target = soft_target(
                    batch.rewards,
                    batch.dones,
                    self.gamma if batch.discounts is None else batch.discounts,
                    policy.actor_target(after),
                    policy.critic_target.smaller(after),
                    self.ent_coef if self.entropy_in_target else 0.0,
                )
            taken = batch.actions.long()
            critic_loss = th.stack(
                [functional.mse_loss(q.gather(1, taken), target) for q in policy.critic(features)]
            ).sum()
            _descend(policy.critic_optimizer, critic_loss)

            with th.no_grad():
                q = policy.critic.smaller(features)
            actor_loss = -soft_value(policy.actor(features), q, self.ent_coef).mean()
            _descend(policy.actor_optimizer, actor_loss)

            self._n_updates += 1
            if self._n_updates % self.target_update_interval == 0:
                polyak_update(policy.critic.parameters(), policy.critic_target.parameters(), self.tau)
                polyak_update(policy.actor.parameters(), policy.actor_target.parameters(), self.tau)
            critic_losses.append(critic_loss.item())
            actor_losses.append(actor_loss.item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/critic_loss", np.mean(critic_losses))
        self.logger.record("train/actor_loss", np.mean(actor_losses))

    def _get_torch_save_params(self) -> tuple[list[str], list[str]]:
        return ["policy", "policy.actor_optimizer", "policy.critic_optimizer"], []


def _descend(optimizer: th.optim.Optimizer, loss: th.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
