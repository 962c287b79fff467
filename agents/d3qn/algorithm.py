"""Double dueling deep Q-network: stable-baselines3's DQN with switches."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch as th
from stable_baselines3 import DQN
from stable_baselines3.common.buffers import NStepReplayBuffer
from stable_baselines3.common.policies import BasePolicy
from torch import nn
from torch.nn import functional

from agents.d3qn.network import D3QNPolicy
from agents.d3qn.prioritized_replay import PrioritizedReplayBuffer


def double_q_target(
    rewards: th.Tensor, dones: th.Tensor, discount: float | th.Tensor, chooser_q: th.Tensor, target_q: th.Tensor
) -> th.Tensor:
    """Target `r + (1 - done) discount Q_target(s', argmax_a Q_chooser(s', a))`, float [B, 1].

    Source: van Hasselt et al., "Deep Reinforcement Learning with Double Q-learning" (2016), eq. 4; SemAIGC, eq. 26.
    With `chooser_q = target_q` it is the target of plain DQN. With n steps, r is their discounted sum, s' the state
    after them, and the discount gamma to the power of their number.

    Args:
        rewards: float [B, 1].
        dones: float [B, 1]; 1 where the episode terminated, 0 elsewhere, also where it was truncated.
        discount: gamma, or float [B, 1].
        chooser_q: float [B, A]; values that choose the next action (the online network's for double DQN).
        target_q: float [B, A]; values that price the chosen action (the target network's).
    """
    next_actions = chooser_q.argmax(dim=1, keepdim=True)
    return rewards + (1 - dones) * discount * target_q.gather(1, next_actions)


class D3QN(DQN):
    """Double dueling DQN, with n steps and prioritised replay if asked for.

    What collecting, exploration, saving, loading, logging and callbacks do is stable-baselines3's, and so is every
    default. With `double=False, policy_kwargs={"dueling": False}` and one environment it makes the updates of
    stable-baselines3's DQN bit for bit, of one step and of n.

    What the paper says (SemAIGC, IV-C and V-A, algorithm 1): two hidden layers of 256, ReLU, a dueling head (eq. 25),
    the action chosen by one network and priced by the other (eq. 26), batches of 64, discount 0.99, epsilon-greedy,
    uniform replay. Learning rate, epsilon, buffer, updates a step and the pace of the target network are left open.

    What this does, and why: the same, with the two kinds of end kept apart (a terminated episode does not bootstrap, a
    truncated one does), Huber's loss and clipped gradients, as stable-baselines3 has them. In `configs/agent` are
    `d3qn_paper` with the paper's numbers, `d3qn_fast` for the first good policy, `d3qn` for the best, with discount 0:
    a contextual bandit with a dueling head, for which neither double Q-learning nor the target network does anything.

    Deviation: eq. 26 bootstraps beyond the end of an episode too.
    Deviation: the paper's 10 outputs cannot cover 21 splits; the number of outputs is the environment's.
    Deviation: eq. 27 as printed ascends the squared error; this descends, and on Huber's loss.
    Deviation from stable-baselines3: with several environments each one flips its own coin for exploration, where
        DQN flips one for all. With one environment the random streams are the same.

    Args:
        policy: "MlpPolicy", or a subclass of `D3QNPolicy`.
        env: Gymnasium environment, its id, or a stable-baselines3 `VecEnv` (see `agents.SB3VecEnv`).
        double: whether the online network chooses the action that the target network prices.
        prioritized: whether the replay buffer is a `PrioritizedReplayBuffer`; `replay_buffer_kwargs` then takes its
            `alpha` and `beta`.
        kwargs: as of `stable_baselines3.DQN`, among them `n_steps`; `policy_kwargs` takes `dueling` (default True)
            beside DQN's own.

    Raises:
        ValueError: `prioritized` together with a `replay_buffer_class`.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": D3QNPolicy}

    def __init__(
        self,
        policy: str | type[D3QNPolicy],
        env: Any,
        *,
        double: bool = True,
        prioritized: bool = False,
        **kwargs: Any,
    ) -> None:
        if prioritized and kwargs.get("replay_buffer_class") is not None:
            raise ValueError(f"prioritized chooses the replay buffer; got {kwargs['replay_buffer_class']} too")
        self.double, self.prioritized = double, prioritized
        super().__init__(policy, env, **kwargs)

    def _setup_model(self) -> None:
        if self.n_steps > 1 and self.replay_buffer_class is NStepReplayBuffer:
            self.replay_buffer_class = None  # a loaded agent: chosen by its n_steps, and chosen again
        if self.prioritized and self.replay_buffer is None:
            self.replay_buffer = PrioritizedReplayBuffer(
                self.buffer_size,
                self.observation_space,
                self.action_space,
                device=self.device,
                n_envs=self.n_envs,
                optimize_memory_usage=self.optimize_memory_usage,
                **{"n_steps": self.n_steps, "gamma": self.gamma} | self.replay_buffer_kwargs,
            )
        super()._setup_model()

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Do `gradient_steps` updates, each on `batch_size` transitions of the replay buffer."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        if isinstance(self.replay_buffer, PrioritizedReplayBuffer):
            self.replay_buffer.progress_remaining = self._current_progress_remaining
        losses = []
        for _ in range(gradient_steps):
            batch: Any = self.replay_buffer.sample(batch_size, env=self._vec_normalize_env)  # type: ignore[union-attr]
            discount = self.gamma if batch.discounts is None else batch.discounts
            with th.no_grad():
                target_q = self.q_net_target(batch.next_observations)
                chooser_q = self.q_net(batch.next_observations) if self.double else target_q
                target = double_q_target(batch.rewards, batch.dones, discount, chooser_q, target_q)
            chosen_q = self.q_net(batch.observations).gather(1, batch.actions.long())
            if isinstance(self.replay_buffer, PrioritizedReplayBuffer):
                loss = (batch.weights * functional.smooth_l1_loss(chosen_q, target, reduction="none")).mean()
                self.replay_buffer.update_priorities(batch.entries, (chosen_q - target).detach().cpu().numpy()[:, 0])
            else:
                loss = functional.smooth_l1_loss(chosen_q, target)
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
        space: Any = self.action_space  # a batch at once: one by one costs more than the network
        actions[explores] = space.start + space.np_random.integers(space.n, size=explores.sum())
        return actions, state
