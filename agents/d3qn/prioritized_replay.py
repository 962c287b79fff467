"""Prioritised experience replay for stable-baselines3, of one step or n."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch as th
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.vec_env import VecNormalize

from envs import checks

EPSILON = 1e-6
"""What is added to an error, so that no transition is lost for good."""


class SumTree:
    """Weights >= 0 of `capacity` entries, all 0 at first, and their sums: sampling in proportion, a batch at once.

    Attributes:
        nodes: float64 [2 L], L the power of two from `capacity` on; node k holds the sum of nodes 2k and 2k + 1, and
            node L + i the weight of entry i.
    """

    def __init__(self, capacity: int) -> None:
        self._leaves = 1 << max(0, capacity - 1).bit_length()
        self.nodes = np.zeros(2 * self._leaves)

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self.nodes[1])

    def get(self, entries: NDArray[np.integer]) -> NDArray[np.float64]:
        """Weights [B] of entries [B]."""
        return self.nodes[entries + self._leaves]

    def set(self, entries: NDArray[np.integer], weights: NDArray[np.floating] | float) -> None:
        """Give entries [B] their weights; where an entry is named twice the last one holds."""
        node = np.asarray(entries) + self._leaves
        self.nodes[node] = weights
        while node[0] > 1:  # all on one level; sums are taken anew, so that rounding does not pile up
            node = node >> 1
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1]

    def find(self, mass: NDArray[np.float64]) -> NDArray[np.int64]:
        """Entries [B] at which the running sum of the weights passes `mass` [B], in [0, total)."""
        left = np.array(mass, dtype=np.float64)
        node = np.ones(len(left), dtype=np.int64)
        for _ in range(self._leaves.bit_length() - 1):
            node *= 2
            below = self.nodes[node]
            # Rounding may leave a mass at the very end: never step into a branch without weight.
            right = (left >= below) & (self.nodes[node + 1] > 0)
            left -= below * right
            node += right
        return node - self._leaves


class PrioritizedSamples(NamedTuple):
    """A batch of transitions: the fields of stable-baselines3's `ReplayBufferSamples`, [B, ...], and two more.

    Attributes:
        weights: float32 [B, 1], importance weights; the largest is 1.
        entries: int64 [B], for `PrioritizedReplayBuffer.update_priorities`.
    """

    observations: th.Tensor
    actions: th.Tensor
    next_observations: th.Tensor
    dones: th.Tensor
    rewards: th.Tensor
    discounts: th.Tensor
    weights: th.Tensor
    entries: NDArray[np.int64]


class PrioritizedReplayBuffer(ReplayBuffer):
    """Replay buffer that samples a transition in proportion to `(|TD error| + 1e-6) ^ alpha`.

    Source: Schaul et al., "Prioritized Experience Replay" (2016), the proportional variant: stratified sampling from a
    sum tree, importance weights `(N P) ^ -beta` over the largest of the batch, new transitions at the largest priority
    so far. Rewards, ends and discounts of n steps are those of stable-baselines3's `NStepReplayBuffer`.

    Randomness comes from numpy's global generator, as in stable-baselines3's buffers, which its `seed` seeds. The
    whole state lies in the attributes, so that a pickled buffer goes on bit for bit.

    Args:
        args, kwargs: as of `stable_baselines3.common.buffers.ReplayBuffer`.
        alpha: 0 (uniform) to 1 (in proportion).
        beta: exponent of the importance weights at the start, 0 (none) to 1 (all of the bias removed); it rises to 1.
        n_steps: rewards summed up in a sample.
        gamma: discount.

    Attributes:
        progress_remaining: 1 at the start of training, 0 at its end; set by who trains.

    Raises:
        ValueError: alpha or beta outside [0, 1], fewer than one step, or `optimize_memory_usage`.
    """

    def __init__(
        self,
        *args: Any,
        alpha: float = 0.6,
        beta: float = 0.4,
        n_steps: int = 1,
        gamma: float = 0.99,
        **kwargs: Any,
    ) -> None:
        checks.number("alpha", alpha, 0, 1)
        checks.number("beta", beta, 0, 1)
        checks.integer("n_steps", n_steps, 1)
        super().__init__(*args, **kwargs)
        if self.optimize_memory_usage:
            raise ValueError("optimize_memory_usage must be False with prioritised replay, got True")
        self.alpha, self.beta, self.n_steps, self.gamma = alpha, beta, n_steps, gamma
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._tree = SumTree(self.buffer_size * self.n_envs)
        self._largest = self.progress_remaining = 1.0

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Add one transition of each environment, at the largest priority so far."""
        entries = self.pos * self.n_envs + np.arange(self.n_envs)
        super().add(*args, **kwargs)
        self._tree.set(entries, self._largest)

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> PrioritizedSamples:  # type: ignore[override]
        """B transitions with their importance weights."""
        strata = np.arange(batch_size) + np.random.rand(batch_size)  # noqa: NPY002  (the stream of stable-baselines3)
        entries = self._tree.find(strata / batch_size * self._tree.total)
        chances = self._tree.get(entries) / self._tree.total
        weights = (self.size() * self.n_envs * chances) ** -(1 - (1 - self.beta) * self.progress_remaining)

        rows, columns = np.divmod(entries, self.n_envs)
        sequence, aside = (rows[:, None] + np.arange(self.n_steps)) % self.buffer_size, columns[:, None]
        newest = sequence == (self.pos - 1) % self.buffer_size  # what follows it in memory is older, or nothing
        ends = (self.dones[sequence, aside] > 0) | newest
        steps = np.where(ends.any(axis=1), ends.argmax(axis=1) + 1, self.n_steps)  # up to the first end
        inside = np.arange(self.n_steps) < steps[:, None]
        rewards = self._normalize_reward(self.rewards[sequence, aside], env)
        discounts = self.gamma ** np.arange(self.n_steps)
        last = sequence[np.arange(batch_size), steps - 1]
        terminated = self.dones[last, columns] * (1 - self.timeouts[last, columns])
        here: Any = self._normalize_obs(self.observations[rows, columns], env)
        there: Any = self._normalize_obs(self.next_observations[last, columns], env)
        return PrioritizedSamples(
            observations=self.to_torch(here),
            actions=self.to_torch(self.actions[rows, columns]),
            next_observations=self.to_torch(there),
            dones=self.to_torch(terminated[:, None]),
            rewards=self.to_torch((rewards * discounts * inside).sum(axis=1, keepdims=True).astype(np.float32)),
            discounts=self.to_torch((self.gamma ** steps[:, None]).astype(np.float32)),
            weights=self.to_torch((weights / weights.max())[:, None].astype(np.float32)),
            entries=entries,
        )

    def update_priorities(self, entries: NDArray[np.int64], errors: NDArray[np.floating]) -> None:
        """Give the transitions of a sample new priorities.

        Args:
            entries: int64 [B], of the sample.
            errors: float [B], their TD errors.
        """
        priorities = (np.abs(errors) + EPSILON).astype(np.float64) ** self.alpha
        self._tree.set(entries, priorities)
        self._largest = max(self._largest, float(priorities.max()))
