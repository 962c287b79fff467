"""Scenario `bursty_edge`: the edge is busy or idle, which the observation does not show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.checks import Range, interval
from envs.scenario.parameters import ScenarioParams
from envs.scenario.processes import TwoStateChain
from envs.scenario.scenario import RequestState, Scenario, register_scenario


@dataclass(frozen=True)
class BurstyEdgeParams(ScenarioParams):
    """As `paper`, but the edge's availability is modulated by a hidden Markov chain.

    Attributes:
        edge_availability: uniform, while the edge is idle.
        busy_availability: uniform, while it is busy; within (0, 1].
        busy_share: of the requests that find it busy, in [0, 1).
        busy_requests: mean length of a busy period in requests, >= 1.

    Raises:
        ValueError: as `ScenarioParams`, or a busy period too short for its share.
    """

    NAME: ClassVar[str] = "bursty_edge"

    edge_availability: Range = (0.3, 0.9)
    busy_availability: Range = (0.05, 0.3)
    busy_share: float = 0.3
    busy_requests: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        busy = interval("busy_availability", self.busy_availability)
        if not 0.0 < busy[0] <= busy[1] <= 1.0:
            raise ValueError(f"busy_availability must lie in (0, 1], got {busy}")
        object.__setattr__(self, "busy_availability", busy)
        busy_chain(self)


def busy_chain(params: BurstyEdgeParams) -> TwoStateChain:
    """The hidden chain."""
    return TwoStateChain(params.busy_share, params.busy_requests, "busy_")


@register_scenario
class BurstyEdge(Scenario):
    """Availability is uniform in one of two ranges; which one is a Markov chain that the observation does not show.

    The present availability is shown, so a request's prices are known; the hidden state bears on those to come, and
    of the present one where the observation is averaged over a window.
    """

    Params = BurstyEdgeParams

    def __init__(self, params: BurstyEdgeParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        super().__init__(params, num_requests, num_draws, max_attempts)
        self.processes["busy"] = busy_chain(params)

    def look(self) -> RequestState:
        """The state of `paper` with the availability of the hidden state."""
        low, high = self.params.busy_availability
        busy = low + (high - low) * self.uniform_of("edge_availability")
        state = super().look()
        return state._replace(edge_availability=np.where(self.processes["busy"].values, busy, state.edge_availability))
