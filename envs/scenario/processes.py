"""Stationary random processes of N environments at once, each with its closed-form moments."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from envs.checks import number
from envs.units import FloatArray, Floats, linear_to_db

FEW = 4096
"""Up to this number of values scipy's loop is the faster one; above, torch's vectorised one, worth its import."""
SLICE = 2**15 - 1
"""Values at a time: of more, torch would make several threads."""


def normal_to_uniform(z: NDArray[np.float64], low: Floats = 0.0, span: Floats = 1.0) -> NDArray[np.float64]:
    """Map standard normal variables to uniform ones on [low, low + span]: `low + span Phi(z)`, elementwise.

    Phi is the standard normal distribution function; of few values and of many it differs by 2 ** -52 at most.

    Args:
        z: finite, of any shape.
        low, span: broadcast to z.
    """
    if z.size <= FEW:
        value = ndtr(z)
        value *= span
        value += low
        return np.asarray(value)
    import torch

    value = z * math.sqrt(0.5)
    for part in torch.from_numpy(value).reshape(-1).split(SLICE):
        part.erf_()
    half = 0.5 * span
    value *= half
    value += low + half
    return value


class RandomProcess(Protocol):
    """A process that moves on once a request; what it draws depends on nothing but itself.

    Attributes:
        values: array [..., N], all that the process remembers.
    """

    values: NDArray[Any]

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""


class Uniform:
    """Independent draws each request, uniform on [0, 1): mean 1/2, variance 1/12, no autocorrelation.

    Args:
        rows: independent draws of each environment.

    Attributes:
        values: float64 [rows, N].
    """

    values: FloatArray

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Draw for N sessions."""
        self.values = rng.random((self.rows, num_envs))

    def advance(self, rng: np.random.Generator) -> None:
        """Draw anew."""
        rng.random(out=self.values)


class SessionUniform:
    """One draw a session, uniform on [0, 1): mean 1/2, variance 1/12, the same at every request.

    Attributes:
        values: float64 [N].
    """

    values: FloatArray

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Draw for N sessions."""
        self.values = rng.random(num_envs)

    def advance(self, rng: np.random.Generator) -> None:
        """Nothing changes."""


class GaussianAR1:
    """`z' = rho z + sqrt(1 - rho^2) n`: Gaussian of mean 0 and variance 1, with autocorrelation `rho ** lag`.

    Args:
        correlation: rho, in [0, 1].
        rows: independent processes of each environment.

    Attributes:
        values: float64 [rows, N].
    """

    values: FloatArray

    def __init__(self, correlation: float, rows: int = 1) -> None:
        self.correlation, self.rows = correlation, rows
        self._innovation = math.sqrt(1.0 - correlation**2)

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""
        self.values = rng.standard_normal((self.rows, num_envs))

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""
        noise = rng.standard_normal(self.values.shape)
        noise *= self._innovation
        self.values *= self.correlation
        self.values += noise


LEAST_GAIN = 1e-12
"""Keeps a gain of exactly zero off the logarithm."""


class RayleighFading(GaussianAR1):
    """Power gain `|h|^2` of a complex Gaussian h that is constant over a request and Gauss-Markov between them.

    The gain is exponential of mean 1 and variance 1, with autocorrelation `rho ** (2 lag)`; in dB its mean is
    `-10 log10(e) gamma = -2.51` (gamma is Euler's constant) and its standard deviation
    `10 log10(e) pi / sqrt(6) = 5.57`.
    Source: own derivation; Goldsmith, "Wireless Communications" (2005), section 3.2, for the exponential power.

    Args:
        correlation: rho of h from one request to the next, in [0, 1]; 0: every request sees a new block.

    Attributes:
        values: float64 [2, N], real and imaginary part of `sqrt(2) h`.
    """

    def __init__(self, correlation: float) -> None:
        super().__init__(correlation, rows=2)

    @property
    def gain(self) -> FloatArray:
        """`|h|^2`, linear, float64 [N]."""
        return (self.values**2).sum(axis=0) / 2.0

    @property
    def gain_db(self) -> FloatArray:
        """The same in dB, float64 [N]."""
        return linear_to_db(np.maximum(self.gain, LEAST_GAIN))


class TwoStateChain:
    """Stays in the state "on" for a geometric number of requests, and is on for a given share of them.

    With leave = 1 / requests and enter = leave share / (1 - share) the mean is `share`, the variance
    `share (1 - share)` and the autocorrelation `(1 - enter - leave) ** lag`.
    Source: own derivation (eigenvalue of the transition matrix).

    Args:
        share: of the requests in state on, in [0, 1).
        requests: mean number of requests of a stay in state on, >= 1.
        name: stands before both in messages.

    Attributes:
        values: bool [N].

    Raises:
        ValueError: a share outside [0, 1), stays below 1, or too short for the share (enter > 1).
    """

    values: NDArray[np.bool_]

    def __init__(self, share: float, requests: float, name: str = "") -> None:
        number(f"{name}share", share, 0.0, 1.0)
        number(f"{name}requests", requests, 1.0)
        self.share, self.leave = share, 1.0 / requests
        self.enter = self.leave * share / (1.0 - share) if share < 1.0 else np.inf
        if self.enter > 1.0:
            raise ValueError(
                f"{name}share of {share:g} needs stays of share / (1 - share) requests or more, and a share below 1; "
                f"got {name}requests of {requests:g}"
            )

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""
        self.values = rng.random(num_envs) < self.share

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""
        self.values = rng.random(len(self.values)) < np.where(self.values, 1.0 - self.leave, self.enter)


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
        name: stands before the latter two in messages.

    Attributes:
        values: float64 [2, N]: seconds since the last request, and seconds of work.

    Raises:
        ValueError: a value out of its bounds.
    """

    values: FloatArray

    def __init__(self, interval_s: float, load: float, job_s: float, name: str = "") -> None:
        number("interval_s", interval_s, above=0.0)
        number(f"{name}load", load, 0.0, 1.0)
        number(f"{name}job_s", job_s, above=0.0)
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
