"""Policies that do not look at the state."""

from __future__ import annotations

import numpy as np

from agents.policies.base import Actions, Observations, Policy


class FixedPolicy(Policy):
    """Always the same action.

    Args:
        action: index into the environment's list of plans.
    """

    def __init__(self, action: int) -> None:
        self.action = action

    def actions(self, observations: Observations) -> Actions:
        """The fixed action, int64 [N]."""
        return np.full(len(observations), self.action, dtype=np.int64)


class RandomPolicy(Policy):
    """Uniformly random actions from a generator of its own.

    Args:
        num_actions: number of plans.
        seed: of the generator.
    """

    def __init__(self, num_actions: int, seed: int = 0) -> None:
        self.num_actions = num_actions
        self._rng = np.random.default_rng(seed)

    def actions(self, observations: Observations) -> Actions:
        """Independent uniform actions, int64 [N]."""
        return self._rng.integers(self.num_actions, size=len(observations))
