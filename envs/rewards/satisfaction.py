"""The default reward: how satisfied a user is with the time to an acceptable image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.rewards.interface import Outcome, Reward
from envs.units import FloatArray


def satisfaction(latency_s: ArrayLike, latency_low_s: ArrayLike, latency_high_s: ArrayLike) -> NDArray[np.float64]:
    """Satisfaction with a latency: 1 up to `latency_low_s`, 0 from `latency_high_s`, linear in between.

    Source: SemAIGC, eq. 24.
    Deviation: the equation is printed upside down (0 for a fast answer, 1 for a slow one).

    Args:
        latency_s: seconds to the delivered image; arrays broadcast, infinity is allowed.
        latency_low_s: seconds below which the user is fully satisfied.
        latency_high_s: seconds above which the user is not satisfied at all, > `latency_low_s`.

    Returns:
        float64 in [0, 1], of the broadcast shape.
    """
    high_s = np.asarray(latency_high_s, dtype=np.float64)
    score = (high_s - np.asarray(latency_s)) / (high_s - np.asarray(latency_low_s))
    return np.asarray(np.minimum(np.maximum(score, 0.0), 1.0))


@dataclass(frozen=True)
class Satisfaction(Reward):
    """`satisfaction` of the latency; a failed request earns nothing."""

    names = ("satisfaction",)
    low, high = 0.0, 1.0

    def terms(self, outcome: Outcome) -> dict[str, FloatArray]:
        """The one term, float64 in [0, 1]."""
        score = satisfaction(outcome.latency_s, outcome.latency_low_s, outcome.latency_high_s)
        return {"satisfaction": score * ~outcome.failed}
