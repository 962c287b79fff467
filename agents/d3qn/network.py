"""The dueling Q-network, and DQN's policy with it."""

from __future__ import annotations

from typing import Any

import torch as th
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn


class DuelingQNetwork(QNetwork):
    """Q-network whose last layer holds one state value and A advantages: `Q = V + (advantage - mean advantage)`.

    Source: Wang et al., "Dueling Network Architectures for Deep Reinforcement Learning" (2016), eq. 9; SemAIGC, eq. 25.
    Value and advantages are two linear heads on one trunk, computed as one layer of 1 + A outputs.

    Deviation: SemAIGC speaks of one network for the value and one for the advantages; its sizes are of one trunk.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        trunk_features = self.net_arch[-1] if self.net_arch else self.features_dim
        self.q_net[-1] = nn.Linear(trunk_features, 1 + int(self.action_space.n))

    def forward(self, obs: Any) -> th.Tensor:
        """Q values, float [B, A], of a batch of observations."""
        value, advantage = super().forward(obs).tensor_split([1], dim=1)
        return value + advantage - advantage.mean(dim=1, keepdim=True)


class D3QNPolicy(DQNPolicy):
    """DQN's policy (epsilon-greedy over a Q-network and its slow copy) with an optional dueling head.

    Args:
        dueling: whether the Q-network is a `DuelingQNetwork`.
        args, kwargs: as of `stable_baselines3.dqn.policies.DQNPolicy`, e.g. `net_arch=[256, 256]`.
    """

    def __init__(self, *args: Any, dueling: bool = True, **kwargs: Any) -> None:
        self.dueling = dueling  # before super().__init__, which builds the networks
        super().__init__(*args, **kwargs)

    def make_q_net(self) -> QNetwork:
        """A new Q-network on the policy's device."""
        network = DuelingQNetwork if self.dueling else QNetwork
        return network(**self._update_features_extractor(self.net_args, features_extractor=None)).to(self.device)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return super()._get_constructor_parameters() | {"dueling": self.dueling}
