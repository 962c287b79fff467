"""What every policy of the house can do, the fixed ones, and the plans that a policy's actions are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
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
        observations, shape = as_batch(observation)
        return np.asarray(self.actions(observations), dtype=np.int64).reshape(shape), state

    def fresh(self) -> Policy:
        """The same as it was made; itself, where it draws nothing."""
        return self


def as_batch(observation: ArrayLike) -> tuple[Observations, tuple[int, ...]]:
    """One observation [7] or a batch [N, 7] as a batch, and the shape of its actions, () or (N,).

    Raises:
        ValueError: an observation of another rank.
    """
    observations = np.asarray(observation)
    if observations.ndim not in (1, 2):
        raise ValueError(f"observation must be [7] or [N, 7], got shape {observations.shape}")
    return np.atleast_2d(observations), observations.shape[:-1]


@dataclass(frozen=True)
class FixedPolicy(Policy):
    """Always the same action, an index into the environment's list of plans."""

    action: int

    def actions(self, observations: Observations) -> Actions:
        """The fixed action, int64 [N]."""
        return np.full(len(observations), self.action, dtype=np.int64)


class RandomPolicy(Policy):
    """Uniformly random actions from a generator of its own."""

    def __init__(self, num_actions: int, seed: int = 0) -> None:
        self.num_actions, self.seed = num_actions, seed
        self._rng = np.random.default_rng(seed)

    def actions(self, observations: Observations) -> Actions:
        """Independent uniform actions, int64 [N]."""
        return self._rng.integers(self.num_actions, size=len(observations))

    def fresh(self) -> RandomPolicy:
        """The same from its first draw on."""
        return RandomPolicy(self.num_actions, self.seed)


def check_plan_names(name: str, own: Sequence[str] | None, given: Sequence[str] | None) -> None:
    """Refuse a policy that chooses among other plans than the environment's.

    Args:
        name: of the policy, in the message.
        own: plans of its actions.
        given: those of the environment. None where they are not known: then only their number is compared.

    Raises:
        ValueError: they are not the same, in the same order.
    """
    if own is not None and given is not None and list(own) != list(given):
        raise ValueError(
            f"policy {name!r} chooses among {len(own)} plans ({own[0]} .. {own[-1]}), the environment has "
            f"{len(given)} ({given[0]} .. {given[-1]})"
        )
