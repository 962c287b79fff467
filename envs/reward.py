"""The reward: how satisfied a user is with the time to an acceptable image."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def request_reward(
    latency_s: NDArray[np.float64],
    accepted: NDArray[np.bool_],
    latency_low_s: ArrayLike,
    latency_high_s: ArrayLike,
    deadline_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Reward of served requests, and which of them failed; arrays broadcast.

    A request fails, and earns nothing, when no attempt was acceptable or the answer came after the deadline.

    Source: SemAIGC, eq. 24 and its 60 s limit.

    Args:
        latency_s: seconds of all attempts together.
        accepted: whether an attempt was acceptable.
        latency_low_s, latency_high_s: the user's latency requirement in seconds.
        deadline_s: latencies above it are failures.

    Returns:
        (reward float64 in [0, 1], failed bool).
    """
    failed = ~(accepted & (latency_s <= deadline_s))
    return satisfaction(latency_s, latency_low_s, latency_high_s) * ~failed, failed
