"""What a scenario gives to a step, and what a step reports back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from envs import checks
from envs.costs import LinkState
from envs.scenario.parameters import PROCESSES, ScenarioParams
from envs.scenario.processes import GaussianAR1, RandomProcess, Uniform, normal_to_uniform
from envs.units import FloatArray

INFO_NAMES = (
    *("snr_db", "bandwidth_hz", "edge_availability", "user_availability", "density_factor"),
    *("latency_low_s", "latency_high_s", "request"),
)


class RequestState(NamedTuple):
    """The next request of each of N environments, and the link and devices that it meets.

    Attributes:
        snr_db, edge_availability, user_availability, bandwidth_hz, density_factor: float64 [N], see `ScenarioParams`.
        latency_low_s, latency_high_s: float64 [N], the user's latency requirement.
        request: int64 [N], index into the profile's requests.
        draws: int64 [K, N], the channel draw of each of K attempts, all different within a request.
        features: name -> float64 [N], what the scenario shows besides, within `ScenarioParams.FEATURES`.
    """

    snr_db: FloatArray
    edge_availability: FloatArray
    user_availability: FloatArray
    bandwidth_hz: FloatArray
    density_factor: FloatArray
    latency_low_s: FloatArray
    latency_high_s: FloatArray
    request: NDArray[np.int64]
    draws: NDArray[np.int64]
    features: Mapping[str, FloatArray] = MappingProxyType({})

    @property
    def info(self) -> dict[str, NDArray[Any]]:
        """The entries of `info["state"]`, arrays [N]; what the scenario shows besides comes last."""
        return {name: getattr(self, name) for name in INFO_NAMES} | dict(self.features)

    @property
    def link(self) -> LinkState:
        """What prices depend on."""
        return LinkState(
            self.snr_db, self.bandwidth_hz, self.edge_availability, self.user_availability, self.density_factor
        )


class Spent(NamedTuple):
    """What the last decision of each environment cost, float64 [N] each, all attempts together."""

    edge_busy_s: FloatArray
    link_s: FloatArray
    user_busy_s: FloatArray
    user_energy_j: FloatArray


class Scenario:
    """The scenario `paper`, and the base of all others: a subclass adds processes and levels, and looks at them.

    Args:
        params: of the scenario.
        num_requests: R, requests to draw from, uniformly.
        num_draws: D, channel draws to order, uniformly.
        max_attempts: K <= D, draws that a request may use.

    Attributes:
        state: the present `RequestState`; its arrays are never written to again.
        processes: name -> what moves on by itself. A subclass adds its own behind these two, so that the
            quantities of `paper` keep their draws.
        levels: name -> float64 [N], what reacts to decisions.

    Raises:
        ValueError: more attempts than draws.
    """

    Params: ClassVar[type[ScenarioParams]] = ScenarioParams

    state: RequestState

    def __init__(self, params: Any, num_requests: int, num_draws: int, max_attempts: int) -> None:
        if not 1 <= max_attempts <= num_draws:
            raise ValueError(f"max_attempts must lie in 1..{num_draws}, the channel draws, got {max_attempts}")
        self.params = params
        self.processes: dict[str, RandomProcess] = {
            "quantities": GaussianAR1(params.correlation, len(PROCESSES)),
            "request": Uniform(3),
        }
        self.levels: dict[str, FloatArray] = {}
        self._orders = np.array(list(permutations(range(num_draws), max_attempts)), dtype=np.int64).T.copy()
        self._counts = np.array([[num_requests], [self._orders.shape[1]]], dtype=np.float64)
        ranges = np.array([getattr(params, name) for name in PROCESSES])
        self._log = PROCESSES.index("bandwidth_hz")
        ranges[self._log] = np.log(ranges[self._log])
        self._low, self._span = ranges[:, :1], np.diff(ranges)

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start `num_envs` sessions, in the stationary distribution; levels start anew."""
        for process in self.processes.values():
            process.reset(num_envs, rng)
        self.levels = self.first_levels()
        self.state = self.look()

    def advance(self, rng: np.random.Generator, spent: Spent) -> None:
        """Go on to the next request in all environments; `spent` is what the last decisions cost."""
        for process in self.processes.values():
            process.advance(rng)
        self.levels = self.next_levels(spent)
        self.state = self.look()

    def first_levels(self) -> dict[str, FloatArray]:
        """Levels of the first request."""
        return {}

    def next_levels(self, spent: Spent) -> dict[str, FloatArray]:
        """Levels of the next request, as new arrays."""
        return {}

    def look(self) -> RequestState:
        """The state that processes and levels make up: a pure function of them."""
        values = normal_to_uniform(self.processes["quantities"].values, self._low, self._span)
        np.exp(values[self._log], out=values[self._log])
        snr_db, edge_availability, user_availability, bandwidth_hz, density_factor = values
        uniform = self.processes["request"].values
        low, high = self.params.latency_low_s
        latency_low_s = low + (high - low) * uniform[0]
        request, order = (uniform[1:] * self._counts).astype(np.int64)
        return RequestState(
            snr_db=snr_db,
            edge_availability=edge_availability,
            user_availability=user_availability,
            bandwidth_hz=bandwidth_hz,
            density_factor=density_factor,
            latency_low_s=latency_low_s,
            latency_high_s=latency_low_s * self.params.latency_high_ratio,
            request=request,
            draws=self._orders.take(order, axis=1),
            features=self.levels,
        )

    def get_state(self) -> dict[str, NDArray[Any]]:
        """All that the scenario remembers, as copies of plain arrays: what `set_state` takes."""
        return {
            **{f"process.{name}": process.values.copy() for name, process in self.processes.items()},
            **{f"level.{name}": level.copy() for name, level in self.levels.items()},
        }

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go back to where `get_state` was called; with the same generator all that follows is the same.

        Raises:
            ValueError: arrays of another scenario.
        """
        names = [f"process.{name}" for name in self.processes]
        if [name for name in arrays if name.startswith("process.")] != names:
            raise ValueError(f"the state must hold {', '.join(names)}, got {', '.join(arrays)}")
        for name, process in self.processes.items():
            process.values = np.array(arrays[f"process.{name}"])
        levels = {name: np.array(level) for name, level in arrays.items() if name.startswith("level.")}
        self.levels = {name.removeprefix("level."): level for name, level in levels.items()}
        self.state = self.look()

    def uniform_of(self, name: str) -> FloatArray:
        """A quantity of `PROCESSES` before it is mapped to its range, uniform on [0, 1], float64 [N]."""
        return normal_to_uniform(self.processes["quantities"].values[PROCESSES.index(name)])


SCENARIOS: dict[str, type[Scenario]] = {ScenarioParams.NAME: Scenario}
"""Scenarios by the name of their parameters."""

Kind = TypeVar("Kind", bound=type[Scenario])


def register_scenario(kind: Kind) -> Kind:
    """Make a scenario known by `kind.Params.NAME`; a decorator of its class.

    Raises:
        ValueError: parameters without a name of their own, or a name that another scenario has.
    """
    name = kind.Params.NAME
    if "NAME" not in vars(kind.Params):
        raise ValueError(f"{kind.Params.__name__} needs a NAME of its own")
    if name in SCENARIOS:
        raise ValueError(f"a scenario {name!r} is there already; the names are {', '.join(SCENARIOS)}")
    SCENARIOS[name] = kind
    return kind


def resolve_scenario(scenario: str | ScenarioParams | Mapping[str, Any]) -> ScenarioParams:
    """Parameters of a scenario given by name, by parameters, or by a mapping of what differs from its defaults.

    Args:
        scenario: a mapping's key `name` chooses the scenario, `paper` where it is missing; `module:Class` or
            `FILE.py:Class` is a scenario of one's own, see `envs.checks.import_object`.

    Raises:
        ValueError: an unknown name or key, or a value that the parameters refuse.
    """
    if isinstance(scenario, ScenarioParams):
        return scenario
    name, changes = checks.named("scenario", scenario, ScenarioParams.NAME)
    if ":" in name:
        kind: type[Scenario] = checks.import_class("scenario", name, Scenario)
        if SCENARIOS.get(kind.Params.NAME) is not kind:  # its file must do it, in every process that imports it
            raise ValueError(f"scenario {name!r} is not registered: put @register_scenario above its class")
        name = kind.Params.NAME
    checks.choice("scenario", name, SCENARIOS)
    return checks.make(SCENARIOS[name].Params, changes, f"scenario {name}")


def make_scenario(params: ScenarioParams, num_requests: int, num_draws: int, max_attempts: int) -> Scenario:
    """The processes that parameters describe, see `Scenario`."""
    return SCENARIOS[params.NAME](params, num_requests, num_draws, max_attempts)
