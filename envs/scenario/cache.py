"""Scenario `cache`: users ask for many models, and the edge does not hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.checks import Range
from envs.costs import Prices
from envs.scenario.parameters import ScenarioParams
from envs.scenario.processes import TwoStateChain
from envs.scenario.scenario import RequestState, Scenario, register_scenario
from envs.units import FloatArray


@dataclass(frozen=True)
class CacheParams(ScenarioParams):
    """As `paper`, but at times the edge does not hold the model that is asked for, and fetches it from the cloud.

    Meanwhile no plan is possible that computes at the edge. The users' devices hold their models, so `semaigc(0)` and
    `local_aigc` always are. By default a miss lasts 12 requests: 2.13 GB take 136 s at 125 Mbit/s, and a request of
    `paper` takes 11 s.

    Source: EUCI, section IV (the edge looks for the model in its cache, gets it from the cloud, and keeps it).
    Deviation: the paper's user waits for the cloud, as the price of `euci_cache_miss` does; here its requests go on.

    Attributes:
        miss_share: of the requests whose model the edge does not hold, in [0, 1).
        miss_requests: mean number of requests until it has fetched it, >= 1.

    Raises:
        ValueError: as `ScenarioParams`, or misses too short for their share.
    """

    NAME: ClassVar[str] = "cache"
    FEATURES: ClassVar[Mapping[str, Range]] = {"cached": (0.0, 1.0)}
    LIMITS_PLANS: ClassVar[bool] = True

    miss_share: float = 0.3
    miss_requests: float = 12.0

    def __post_init__(self) -> None:
        super().__post_init__()
        miss_chain(self)

    def possible(self, features: Mapping[str, FloatArray], prices: Prices) -> NDArray[np.bool_]:
        """Whether the edge holds the model, or has nothing to do."""
        return np.asarray((features["cached"] > 0.5) | ~prices.needs_edge)


def miss_chain(params: CacheParams) -> TwoStateChain:
    """On while the edge fetches the model."""
    return TwoStateChain(params.miss_share, params.miss_requests, "miss_")


@register_scenario
class Cache(Scenario):
    """The processes of `paper`, and misses of the edge's cache, which decisions do not move."""

    Params = CacheParams

    def __init__(self, params: CacheParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        super().__init__(params, num_requests, num_draws, max_attempts)
        self.processes["miss"] = miss_chain(params)

    def look(self) -> RequestState:
        """The state of `paper`, and whether the edge holds the model: 1 or 0."""
        return super().look()._replace(features={"cached": 1.0 - self.processes["miss"].values})
