"""What a scenario gives to a step, and what it is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.costs import LinkState
from envs.units import FloatArray


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
