"""Double dueling deep Q-network: stable-baselines3's DQN with two switches.

SemAIGC paper, ROOT scheme: two hidden layers of 256, ReLU, a dueling head, an update of the double kind. What replay,
exploration, saving, loading, logging and callbacks do is stable-baselines3's, and so is every default.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn
from torch.nn import functional


def double_q_target(
    rewards: th.Tensor, dones: th.Tensor, discount: float | th.Tensor, chooser_q: th.Tensor, target_q: th.Tensor
) -> th.Tensor:
    """One-step target `r + (1 - done) discount Q_target(s', argmax_a Q_chooser(s', a))`.

    Source: van Hasselt et al., "Deep Reinforcement Learning with Double Q-learning" (2016), eq. 4; SemAIGC, eq. 26.
    With `chooser_q = target_q` it is the target of plain DQN.

    Args:
        rewards: float [B, 1].
        dones: float [B, 1]; 1 where the episode terminated, 0 elsewhere, also where it was truncated.
        discount: gamma, or float [B, 1].
        chooser_q: float [B, A]; values that choose the next action (the online network's for double DQN).
        target_q: float [B, A]; values that price the chosen action (the target network's).

    Returns:
        float [B, 1].
    """
    next_actions = chooser_q.argmax(dim=1, keepdim=True)
    return rewards + (1 - dones) * discount * target_q.gather(1, next_actions)


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


class D3QN(DQN):
    """Double dueling DQN; with `double=False, policy_kwargs={"dueling": False}` it is stable-baselines3's, bit for bit.

    A terminated episode does not bootstrap, a truncated one does (the replay buffer knows both).

    Deviation: eq. 26 bootstraps beyond the end of an episode too.
    Deviation: the paper's 10 outputs cannot cover 21 splits; the number of outputs is the environment's.
    Deviation: eq. 27 as printed ascends the squared error; this descends, and on Huber's loss.
    Deviation from stable-baselines3: with several environments each one flips its own coin for exploration, where
        DQN flips one for all. With one environment the random streams are the same.

    Args:
        policy: "MlpPolicy", or a subclass of `D3QNPolicy`.
        env: Gymnasium environment, its id, or a stable-baselines3 `VecEnv` (see `agents.SB3VecEnv`).
        double: whether the online network chooses the action that the target network prices.
        kwargs: as of `stable_baselines3.DQN`; `policy_kwargs` takes `dueling` (default True) beside DQN's own.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": D3QNPolicy}

    def __init__(self, policy: str | type[D3QNPolicy], env: Any, *, double: bool = True, **kwargs: Any) -> None:
        self.double = double
        super().__init__(policy, env, **kwargs)

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Do `gradient_steps` updates, each on `batch_size` transitions of the replay buffer."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        losses = []
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size, env=self._vec_normalize_env)  # type: ignore[union-attr]
            discount = self.gamma if batch.discounts is None else batch.discounts
            with th.no_grad():
                target_q = self.q_net_target(batch.next_observations)
                chooser_q = self.q_net(batch.next_observations) if self.double else target_q
                target = double_q_target(batch.rewards, batch.dones, discount, chooser_q, target_q)
            loss = functional.smooth_l1_loss(self.q_net(batch.observations).gather(1, batch.actions.long()), target)
            self.policy.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.q_net.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
            losses.append(loss.detach())
        self._n_updates += gradient_steps
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/loss", th.stack(losses).mean().item())

    def predict(
        self,
        observation: Any,
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """Epsilon-greedy actions (greedy if `deterministic`), int64 [N] or [], of observations [N, ...] or [...]."""
        if deterministic or not self.policy.is_vectorized_observation(observation):
            return super().predict(observation, state, episode_start, deterministic)
        explores = np.random.rand(len(observation)) < self.exploration_rate  # noqa: NPY002  (the stream of DQN)
        if explores.all():
            actions = np.empty(len(observation), dtype=np.int64)
        else:
            actions, state = self.policy.predict(observation, state, episode_start, deterministic)
        for index in np.flatnonzero(explores):
            actions[index] = self.action_space.sample()
        return actions, state
