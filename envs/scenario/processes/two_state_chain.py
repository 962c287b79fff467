"""Markov chain of two states."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.scenario.ranges import check_within


class TwoStateChain:
    """Stays in the state "on" for a geometric number of requests, and is on for a given share of them.

    With leave = 1 / duration and enter = leave share / (1 - share) the mean is `share`, the variance
    `share (1 - share)` and the autocorrelation `(1 - enter - leave) ** lag`.
    Source: own derivation (eigenvalue of the transition matrix).

    Args:
        share: of the requests in state on, in [0, 1).
        duration: mean number of requests of a stay in state on, >= 1.

    Attributes:
        values: bool [N].

    Raises:
        ValueError: a share outside [0, 1), a duration below 1, or one too short for the share (enter > 1).
    """

    values: NDArray[np.bool_]

    def __init__(self, share: float, duration: float) -> None:
        check_within("share", share, 0.0, 1.0)
        check_within("duration", duration, 1.0, np.inf)
        self.share, self.leave = share, 1.0 / duration
        self.enter = self.leave * share / (1.0 - share) if share < 1.0 else np.inf
        if self.enter > 1.0:
            raise ValueError(
                f"a share of {share:g} needs stays of share / (1 - share) requests or more, and a share below 1; "
                f"got a duration of {duration:g}"
            )

    @classmethod
    def of(cls, params: object, share: str, duration: str) -> TwoStateChain:
        """The chain of two parameters, given by their names, which an error then tells.

        Raises:
            ValueError: as of the class.
        """
        try:
            return cls(getattr(params, share), getattr(params, duration))
        except ValueError as error:
            raise ValueError(f"{share}, {duration}: {error}") from None

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""
        self.values = rng.random(num_envs) < self.share

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""
        self.values = rng.random(len(self.values)) < np.where(self.values, 1.0 - self.leave, self.enter)

    def autocorrelation(self, lag: int) -> float:
        """Correlation of states that lie so many requests apart."""
        return float((1.0 - self.enter - self.leave) ** lag)
