"""Parameters of a scenario; the base class is the scenario `paper`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.checks import Range, interval, number
from envs.costs import Prices
from envs.observation import check_observable
from envs.units import FloatArray

PROCESSES = ("snr_db", "edge_availability", "user_availability", "bandwidth_hz", "density_factor")
"""The correlated quantities, in the order in which they are drawn."""


@dataclass(frozen=True)
class ScenarioParams:
    """Five quantities that wander within ranges, and requests that are independent of each other.

    SNR, both availabilities, bandwidth (in logarithms) and the density of the denoising steps are uniform, and
    correlated from one request to the next; the latency that satisfies a user is drawn anew each time. These are the
    parameters of `paper`, and all other scenarios have them too. A range is (low, high), or one number for a constant.

    Source: the ranges of SNR, computing resources and latency are SemAIGC's, V.
    Deviation: the paper names no process; here the quantities are correlated from one request to the next.

    Attributes:
        snr_db: uniform; SNR of the link in dB.
        edge_availability: uniform; available share of the edge's computing resources (PACR), in (0, 1].
        user_availability: uniform; the same of the user.
        bandwidth_hz: log-uniform; bandwidth of the link.
        density_factor: uniform; factor on the cycles of a denoising step, common to both ends.
        latency_low_s: uniform, independent each request; latency below which the user is fully satisfied.
        latency_high_ratio: `latency_high_s / latency_low_s`, > 1.
        correlation: rho of the processes from one request to the next, in [0, 1].

    Raises:
        ValueError: a value that is not finite, out of its bounds, or a range that is upside down.
    """

    NAME: ClassVar[str] = "paper"
    FEATURES: ClassVar[Mapping[str, Range]] = {}
    """What the observation shows behind the seven: name -> values that are scaled to 0 and to 1."""
    IS_SEQUENTIAL: ClassVar[bool] = False
    """Whether decisions move the state of later requests."""
    LIMITS_PLANS: ClassVar[bool] = False
    """Whether `possible` may refuse plans."""
    ACCEPTANCE: ClassVar[str] = "similarity"
    """Which images are acceptable where nobody chooses, a name of `envs.transceiver.ACCEPTANCE_RULES`."""

    snr_db: Range = (-6.0, 15.0)
    edge_availability: Range = (0.1, 1.0)
    user_availability: Range = (0.5, 1.0)
    bandwidth_hz: Range = (0.3e6, 20e6)
    density_factor: Range = (0.75, 1.25)
    latency_low_s: Range = (5.0, 12.5)
    latency_high_ratio: float = 2.0
    correlation: float = 0.9

    def __post_init__(self) -> None:
        for name in (*PROCESSES, "latency_low_s"):
            object.__setattr__(self, name, interval(name, getattr(self, name)))
            if name != "snr_db" and not getattr(self, name)[0] > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        for name in ("edge_availability", "user_availability"):
            if getattr(self, name)[1] > 1.0:
                raise ValueError(f"{name} must lie in (0, 1], got {getattr(self, name)}")
        for name in ("snr_db", "bandwidth_hz", "latency_low_s"):
            check_observable(name, *getattr(self, name))
        number("latency_high_ratio", self.latency_high_ratio, above=1.0)
        number("correlation", self.correlation, 0.0, 1.0)

    def waiting_s(self, features: Mapping[str, FloatArray], prices: Prices) -> FloatArray | None:
        """Seconds that a plan waits before it starts; None: none does.

        Args:
            features: as in `RequestState`, of shapes that broadcast with those of the prices.
            prices: of one plan each [N], or of all [N, P].

        Returns:
            float64, of the shape of the prices.
        """
        return None

    def possible(self, features: Mapping[str, FloatArray], prices: Prices) -> NDArray[np.bool_] | None:
        """Which plans can be carried out; None: all. Arguments and shape are those of `waiting_s`."""
        return None
