"""The scenario: how links, devices and requests vary from one request to the next.

Each of five quantities follows a Gaussian AR(1) process `z' = rho z + sqrt(1 - rho^2) n` of unit variance, and
`u = Phi(z)`, uniform on [0, 1], is mapped to its range. Latency requirement, request and the order of the
channel draws are independent from request to request. All of it is drawn whatever the agent does, so that
one seed gives the same requests to every policy.

Source: own derivation; SemAIGC, V names the ranges of SNR, computing resources and latency, but no process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from envs.costs import LinkState
from envs.observation import check_observable

Range = tuple[float, float]

PROCESSES = ("snr_db", "tx_availability", "rx_availability", "bandwidth_hz", "density_factor")
"""The correlated quantities, in the order in which they are drawn."""


def _range(name: str, value: Any) -> Range:
    ends = (value, value) if isinstance(value, int | float) else tuple(value) if np.iterable(value) else ()
    if len(ends) != 2 or not all(_is_finite(end) for end in ends) or not ends[0] <= ends[1]:
        raise ValueError(f"{name} must be a finite number or a range (low, high) with low <= high, got {value!r}")
    return float(ends[0]), float(ends[1])


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class ScenarioParams:
    """Ranges and correlation of a scenario; the defaults are the scenario `paper`.

    A range is (low, high), or one number for a constant.

    Attributes:
        snr_db: uniform; SNR of the link in dB.
        tx_availability: uniform; available share of the transmitter's computing resources (PACR), in (0, 1].
        rx_availability: uniform; the same of the receiver.
        bandwidth_hz: log-uniform; bandwidth of the link.
        density_factor: uniform; factor on the cycles of a denoising step, common to both ends.
        latency_low_s: uniform, independent each request; latency below which the user is fully satisfied.
        latency_high_ratio: `latency_high_s / latency_low_s`, > 1.
        correlation: rho of the processes from one request to the next, in [0, 1].

    Raises:
        ValueError: a value that is not finite, out of its bounds, or a range that is upside down.
    """

    snr_db: Range = (-6.0, 15.0)
    tx_availability: Range = (0.1, 1.0)
    rx_availability: Range = (0.5, 1.0)
    bandwidth_hz: Range = (0.3e6, 20e6)
    density_factor: Range = (0.75, 1.25)
    latency_low_s: Range = (5.0, 12.5)
    latency_high_ratio: float = 2.0
    correlation: float = 0.9

    def __post_init__(self) -> None:
        for name in (*PROCESSES, "latency_low_s"):
            object.__setattr__(self, name, _range(name, getattr(self, name)))
            if name != "snr_db" and not getattr(self, name)[0] > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        for name in ("tx_availability", "rx_availability"):
            if getattr(self, name)[1] > 1.0:
                raise ValueError(f"{name} must lie in (0, 1], got {getattr(self, name)}")
        for name in ("snr_db", "bandwidth_hz", "latency_low_s"):
            check_observable(name, *getattr(self, name))
        if not (_is_finite(self.latency_high_ratio) and self.latency_high_ratio > 1.0):
            raise ValueError(f"latency_high_ratio must be > 1, got {self.latency_high_ratio}")
        if not (_is_finite(self.correlation) and 0.0 <= self.correlation <= 1.0):
            raise ValueError(f"correlation must lie in [0, 1], got {self.correlation}")


SCENARIOS: dict[str, ScenarioParams] = {"paper": ScenarioParams()}
"""Scenarios by name."""


def resolve_scenario(scenario: str | ScenarioParams | Mapping[str, Any]) -> ScenarioParams:
    """Parameters of a scenario given by name, by parameters, or by what differs from `paper`.

    Raises:
        ValueError: an unknown name or key, or a value that `ScenarioParams` refuses.
    """
    if isinstance(scenario, ScenarioParams):
        return scenario
    if isinstance(scenario, Mapping):
        allowed = [field.name for field in fields(ScenarioParams)]
        if unknown := [str(key) for key in scenario if key not in allowed]:
            raise ValueError(f"unknown scenario keys {', '.join(unknown)}; allowed: {', '.join(allowed)}")
        return ScenarioParams(**scenario)
    if scenario not in SCENARIOS:
        raise ValueError(f"unknown scenario {scenario!r}; allowed: {', '.join(SCENARIOS)}, parameters or a mapping")
    return SCENARIOS[scenario]


@dataclass(frozen=True, slots=True)
class RequestState:
    """The next request of each of N environments, and the link and devices that it meets.

    Attributes:
        snr_db, tx_availability, rx_availability, bandwidth_hz, density_factor: float64 [N], see `ScenarioParams`.
        latency_low_s, latency_high_s: float64 [N], the user's latency requirement.
        request: int64 [N], index into the profile's requests.
        draws: int64 [K, N], the channel draw of each of K attempts, all different within a request.
    """

    snr_db: NDArray[np.float64]
    tx_availability: NDArray[np.float64]
    rx_availability: NDArray[np.float64]
    bandwidth_hz: NDArray[np.float64]
    density_factor: NDArray[np.float64]
    latency_low_s: NDArray[np.float64]
    latency_high_s: NDArray[np.float64]
    request: NDArray[np.int64]
    draws: NDArray[np.int64]

    @property
    def link(self) -> LinkState:
        """What prices depend on."""
        return LinkState(
            self.snr_db, self.bandwidth_hz, self.tx_availability, self.rx_availability, self.density_factor
        )


class Scenario:
    """The processes of N environments.

    Args:
        params: ranges and correlation.
        num_requests: R, requests to draw from, uniformly.
        num_draws: D, channel draws to order, uniformly.
        max_attempts: K <= D, draws that a request may use.

    Attributes:
        state: the present `RequestState`; its arrays are never written to again.

    Raises:
        ValueError: more attempts than draws.
    """

    state: RequestState

    def __init__(self, params: ScenarioParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        if not 1 <= max_attempts <= num_draws:
            raise ValueError(f"max_attempts must lie in 1..{num_draws}, the channel draws, got {max_attempts}")
        self.params = params
        self._num_requests = num_requests
        self._orders = np.array(list(permutations(range(num_draws), max_attempts)), dtype=np.int64).T.copy()
        ranges = np.array([getattr(params, name) for name in PROCESSES])
        self._log = PROCESSES.index("bandwidth_hz")
        ranges[self._log] = np.log(ranges[self._log])
        self._low, self._span = ranges[:, :1], np.diff(ranges)
        self._innovation = math.sqrt(1.0 - params.correlation**2)

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start `num_envs` sessions, in the stationary distribution."""
        self._normal = rng.standard_normal((len(PROCESSES), num_envs))
        self._uniform = rng.random((3, num_envs))
        self._update()

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request in all environments."""
        noise = rng.standard_normal(self._normal.shape)
        noise *= self._innovation
        self._normal *= self.params.correlation
        self._normal += noise
        rng.random(out=self._uniform)
        self._update()

    def get_state(self) -> dict[str, NDArray[np.float64]]:
        """Everything that `advance` goes on from, as copies: name -> array. What a scenario adds, it adds here."""
        return {"normal": self._normal.copy(), "uniform": self._uniform.copy()}

    def set_state(self, state: Mapping[str, NDArray[np.float64]]) -> None:
        """Go back to what `get_state` gave, from a scenario with the same parameters."""
        self._normal, self._uniform = state["normal"].copy(), state["uniform"].copy()
        self._update()

    def _update(self) -> None:
        values = ndtr(self._normal)
        values *= self._span
        values += self._low
        np.exp(values[self._log], out=values[self._log])
        low, high = self.params.latency_low_s
        latency_low_s = low + (high - low) * self._uniform[0]
        order = (self._uniform[2] * self._orders.shape[1]).astype(np.int64)
        snr_db, tx_availability, rx_availability, bandwidth_hz, density_factor = values
        self.state = RequestState(
            snr_db=snr_db,
            tx_availability=tx_availability,
            rx_availability=rx_availability,
            bandwidth_hz=bandwidth_hz,
            density_factor=density_factor,
            latency_low_s=latency_low_s,
            latency_high_s=latency_low_s * self.params.latency_high_ratio,
            request=(self._uniform[1] * self._num_requests).astype(np.int64),
            draws=self._orders.take(order, axis=1),
        )
