"""Work that arrives at a processor between two requests."""

from __future__ import annotations

import numpy as np

from envs.scenario.ranges import check_positive, check_within
from envs.units import FloatArray


class Workload:
    """Time since the last request, and the work that other users brought meanwhile (compound Poisson).

    Times between requests are exponential of mean T. Jobs arrive as a Poisson process and take exponential times of
    mean m, so that they load the processor by a share `load`. With `jobs = load T / m` the work that arrives between
    two requests has mean `load T` and variance `m^2 (2 jobs + jobs^2)`, and no autocorrelation.
    Source: own derivation (law of total variance).

    Args:
        interval_s: T, > 0.
        load: share of the processor that the jobs take, in [0, 1].
        job_s: m, > 0.

    Attributes:
        values: float64 [2, N]: seconds since the last request, and seconds of work.

    Raises:
        ValueError: a value out of its bounds.
    """

    values: FloatArray

    def __init__(self, interval_s: float, load: float, job_s: float) -> None:
        check_positive("interval_s", interval_s)
        check_within("load", load, 0.0, 1.0)
        check_positive("job_s", job_s)
        self.interval_s, self.load, self.job_s = interval_s, load, job_s

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Draw for N sessions."""
        self.values = np.empty((2, num_envs))
        self.advance(rng)

    def advance(self, rng: np.random.Generator) -> None:
        """Draw the time to the next request and what arrives until then."""
        elapsed_s = rng.exponential(self.interval_s, size=self.values.shape[1])
        jobs = rng.poisson(elapsed_s * (self.load / self.job_s))
        self.values = np.stack([elapsed_s, self.job_s * rng.standard_gamma(jobs)])

    @property
    def work_mean_s(self) -> float:
        """Mean work between two requests."""
        return self.load * self.interval_s

    @property
    def work_variance_s2(self) -> float:
        """Its variance."""
        jobs = self.work_mean_s / self.job_s
        return self.job_s**2 * (2.0 * jobs + jobs**2)
