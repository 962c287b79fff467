"""Other users' work less the time that passes, between two requests of a queue."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def net_work_cdf(seconds: ArrayLike, interval_s: float, load: float, job_s: float) -> NDArray[np.float64]:
    """Chance that work less elapsed time is at most so many seconds.

    Work is a compound Poisson process with exponential jobs, observed after an exponential time T. With q = 1 / T,
    mu = 1 / job and nu = load / job, the transform of the difference X is

        E[exp(s X)] = q / (q + s - nu s / (mu - s)) = q (mu - s) / ((s1 - s) (s - s2)),   s1 > 0 > s2,

    so X has an exponential tail on either side. Source: own derivation (a Levy process at an exponential time).

    Args:
        seconds: of any shape.
        interval_s: T, > 0.
        load: share of the processor that the jobs take, in [0, 1].
        job_s: mean of a job, > 0.

    Returns:
        float64 of the same shape.
    """
    x = np.asarray(seconds, dtype=np.float64)
    q, mu, nu = 1.0 / interval_s, 1.0 / job_s, load / job_s
    middle = (mu - q - nu) / 2.0
    root = np.sqrt(middle**2 + q * mu)
    upper, lower = middle + root, root - middle  # s1 and -s2
    above = q * (mu - upper) / (upper + lower) / upper
    below = q * (mu + lower) / (upper + lower) / lower
    return np.where(
        x < 0.0, below * np.exp(lower * np.minimum(x, 0.0)), 1.0 - above * np.exp(-upper * np.maximum(x, 0.0))
    )
