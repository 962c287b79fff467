"""What every policy of the house can do: stable-baselines3's `predict`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Actions = NDArray[np.int64]
Observations = NDArray[np.floating[Any]]


class Predictor(Protocol):
    """Anything with stable-baselines3's `predict`: a policy of this package or a trained agent."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """Action(s) and the next recurrent state."""


class Policy(ABC):
    """A policy without memory, defined by its actions for a batch of observations."""

    @abstractmethod
    def actions(self, observations: Observations) -> Actions:
        """Actions, int64 [N], for observations [N, 7]."""

    def predict(
        self,
        observation: ArrayLike,
        state: tuple[NDArray[Any], ...] | None = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[Actions, tuple[NDArray[Any], ...] | None]:
        """Actions of one observation [7] or of a batch [N, 7]; the other arguments change nothing.

        Returns:
            int64 [] or [N], and `state` as it was given.

        Raises:
            ValueError: an observation of another rank.
        """
        observations = np.asarray(observation)
        if observations.ndim not in (1, 2):
            raise ValueError(f"observation must be [7] or [N, 7], got shape {observations.shape}")
        actions = np.asarray(self.actions(np.atleast_2d(observations)), dtype=np.int64)
        return actions.reshape(observations.shape[:-1]), state
