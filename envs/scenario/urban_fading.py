"""Scenario `urban_fading`: a user who moves through a city, with shadowing, fading and gaps between cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.checks import Range, number
from envs.observation import OBSERVATION_BOUNDS
from envs.scenario.parameters import ScenarioParams
from envs.scenario.processes import GaussianAR1, RayleighFading, TwoStateChain
from envs.scenario.scenario import RequestState, Scenario, register_scenario


@dataclass(frozen=True)
class UrbanFadingParams(ScenarioParams):
    """As `paper`, but the SNR is a local mean with Gauss-Markov shadowing and Rayleigh block fading, and has gaps.

    In dB: `snr = local mean + shadowing + 10 log10 |h|^2`, clipped to what the observation shows, -20 to 20 dB, before
    it is priced: a link below that is as good as lost. Bandwidth likewise ends at 0.1 MHz.

    Source: Gudmundson, "Correlation model for shadow fading in mobile radio systems" (1991), for the shadowing;
    SNR gaps at handover are our own choice.

    Attributes:
        snr_db: uniform; local mean of the SNR in dB.
        shadowing_db: standard deviation of the shadowing in dB, >= 0.
        shadowing_correlation: of the shadowing from one request to the next, in [0, 1].
        fading_correlation: of the channel gain h from one request to the next, in [0, 1]; 0: independent blocks.
        gap_share: of the requests that fall into a handover, in [0, 1).
        gap_requests: mean length of one in requests, >= 1.
        gap_loss_db: SNR that is lost in it, >= 0.
        gap_bandwidth_factor: share of the bandwidth that is left in it, in [0, 1].

    Raises:
        ValueError: as `ScenarioParams`, or a value out of these bounds.
    """

    NAME: ClassVar[str] = "urban_fading"

    snr_db: Range = (0.0, 15.0)
    shadowing_db: float = 4.0
    shadowing_correlation: float = 0.8
    fading_correlation: float = 0.3
    gap_share: float = 0.1
    gap_requests: float = 2.0
    gap_loss_db: float = 10.0
    gap_bandwidth_factor: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("shadowing_db", "gap_loss_db"):
            number(name, getattr(self, name), 0.0)
        for name in ("shadowing_correlation", "fading_correlation", "gap_bandwidth_factor"):
            number(name, getattr(self, name), 0.0, 1.0)
        gap_chain(self)


def gap_chain(params: UrbanFadingParams) -> TwoStateChain:
    """Handovers."""
    return TwoStateChain(params.gap_share, params.gap_requests, "gap_")


@register_scenario
class UrbanFading(Scenario):
    """The processes of `paper` with shadowing, fading and handovers on the link."""

    Params = UrbanFadingParams

    def __init__(self, params: UrbanFadingParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        super().__init__(params, num_requests, num_draws, max_attempts)
        self._fading = RayleighFading(params.fading_correlation)
        self.processes |= {
            "shadowing": GaussianAR1(params.shadowing_correlation),
            "fading": self._fading,
            "gap": gap_chain(params),
        }

    def look(self) -> RequestState:
        """The state of `paper` with the city's link."""
        params, state, gap = self.params, super().look(), self.processes["gap"].values
        shadowing_db = params.shadowing_db * self.processes["shadowing"].values[0]
        snr_db = state.snr_db + shadowing_db + self._fading.gain_db - params.gap_loss_db * gap
        left = np.where(gap, params.gap_bandwidth_factor, 1.0)
        return state._replace(
            snr_db=np.clip(snr_db, *OBSERVATION_BOUNDS["snr_db"]),
            bandwidth_hz=np.maximum(state.bandwidth_hz * left, OBSERVATION_BOUNDS["bandwidth_hz"][0]),
        )
