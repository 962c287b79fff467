"""Networks of D2SAC: diffusion actor, twin critics, slow copies of both."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch as th
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import nn

from agents.d2sac.diffusion_actor import DiffusionActor


class TwinCritic(nn.Module):
    """Two Q-networks, each with A outputs.

    Args:
        features_dim: F, length of the state's features.
        num_actions: A.
        net_arch: widths of the hidden layers.
        activation_fn: of the hidden layers.
    """

    def __init__(
        self, features_dim: int, num_actions: int, net_arch: Sequence[int], activation_fn: type[nn.Module] = nn.Mish
    ) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Sequential(*create_mlp(features_dim, num_actions, list(net_arch), activation_fn)) for _ in range(2)
        )

    def forward(self, features: th.Tensor) -> tuple[th.Tensor, th.Tensor]:
        """Both values of every action, float [B, A] each, of states, float [B, F]."""
        return self.first(features), self.second(features)

    def smaller(self, features: th.Tensor) -> th.Tensor:
        """The smaller of both values, float [B, A]: the two seldom overrate the same action."""
        return th.minimum(*self(features))


class D2SACPolicy(BasePolicy):
    """Diffusion actor and twin critics, with their slow copies and optimisers.

    Deterministic actions are the largest logits of the chain without noise; others are drawn from the softmax of the
    logits of a noisy chain.

    Deviation: Du et al. act greedily on a noisy chain in evaluation too; without noise a state has one action.

    Args:
        observation_space: flattened (one-hot where it is discrete).
        action_space: discrete.
        lr_schedule: as stable-baselines3 gives it.
        net_arch: widths of the hidden layers of every network.
        num_denoising_steps: T of the actor.
        temperature: divides the actor's logits; 1 is the paper's. The chain multiplies the noise that it starts from by
            `exp((beta_min + beta_max) / 4)`, 12.5, so that its softmax is one action from the first update on, and
            passes hardly any gradient.
        activation_fn: of the hidden layers.
        kwargs: as of stable-baselines3's `BasePolicy`; `optimizer_class` and `optimizer_kwargs` are of both optimisers.
    """

    action_space: spaces.Discrete

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        net_arch: Sequence[int] = (256, 256),
        num_denoising_steps: int = 5,
        temperature: float = 1.0,
        activation_fn: type[nn.Module] = nn.Mish,
        **kwargs: Any,
    ) -> None:
        super().__init__(observation_space, action_space, **kwargs)
        self.net_arch, self.activation_fn = net_arch, activation_fn
        self.num_denoising_steps, self.temperature = num_denoising_steps, temperature
        self.features_extractor = self.make_features_extractor()
        sizes = self.features_extractor.features_dim, int(action_space.n)
        self.actor = DiffusionActor(*sizes, num_denoising_steps, net_arch, activation_fn, temperature)
        self.critic = TwinCritic(*sizes, net_arch, activation_fn)
        self.actor_target, self.critic_target = deepcopy(self.actor), deepcopy(self.critic)
        for slow in (self.actor_target, self.critic_target):
            slow.requires_grad_(False)
        self.actor_optimizer, self.critic_optimizer = (
            self.optimizer_class(network.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)  # type: ignore[call-arg]
            for network in (self.actor, self.critic)
        )

    def features(self, observation: PyTorchObs) -> th.Tensor:
        """Flat features, float [B, F], of a batch of observations."""
        return self.extract_features(observation, self.features_extractor)

    def forward(self, observation: PyTorchObs, deterministic: bool = False) -> th.Tensor:
        """Actions, int64 [B]."""
        logits = self.actor(self.features(observation), deterministic)
        return logits.argmax(dim=1) if deterministic else th.distributions.Categorical(logits=logits).sample()

    _predict = forward

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {
            "lr_schedule": self._dummy_schedule,
            "net_arch": self.net_arch,
            "num_denoising_steps": self.num_denoising_steps,
            "temperature": self.temperature,
            "activation_fn": self.activation_fn,
            "optimizer_class": self.optimizer_class,
            "optimizer_kwargs": self.optimizer_kwargs,
        }
