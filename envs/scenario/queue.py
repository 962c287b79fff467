"""Scenario `queue`: users share the edge's processor, so that a decision slows those that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from envs.checks import Range, number
from envs.costs import Prices
from envs.scenario.parameters import ScenarioParams
from envs.scenario.processes import Workload
from envs.scenario.scenario import Scenario, Spent, register_scenario
from envs.units import FloatArray

BACKLOG_S = (0.0, 60.0)
"""Bounds of the observed backlog; work beyond it is turned away."""


@dataclass(frozen=True)
class QueueParams(ScenarioParams):
    """As `paper`, but the edge serves one request after another, those of other users too.

    A request that needs the edge first waits `backlog_s`, the seconds of work that lie before it; what needs
    only the user does not wait. The backlog grows by the edge's seconds of a decision and by the other
    users' work, and drains with time (Lindley's recursion, with a finite queue):

        backlog' = min(max(backlog + spent + work - interval, 0), limit)

    Source: Lindley, "The theory of queues with a single server" (1952).

    Attributes:
        interval_s: mean seconds between requests, > 0.
        background_load: share of the edge that other users take, in [0, 1].
        background_job_s: mean seconds of one of their jobs, > 0.
        backlog_limit_s: work beyond it is turned away, in (0, 60].

    Raises:
        ValueError: as `ScenarioParams`, or a value out of these bounds.
    """

    NAME: ClassVar[str] = "queue"
    IS_SEQUENTIAL: ClassVar[bool] = True
    FEATURES: ClassVar[Mapping[str, Range]] = {"backlog_s": BACKLOG_S}

    edge_availability: Range = (0.6, 1.0)
    interval_s: float = 4.0
    background_load: float = 0.2
    background_job_s: float = 2.0
    backlog_limit_s: float = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        workload(self)
        number("backlog_limit_s", self.backlog_limit_s, *BACKLOG_S, above=0.0)

    def waiting_s(self, features: Mapping[str, FloatArray], prices: Prices) -> FloatArray:
        """The backlog, for plans that need the edge."""
        return np.where(prices.needs_edge, features["backlog_s"], 0.0)


def workload(params: QueueParams) -> Workload:
    """What the other users bring."""
    return Workload(params.interval_s, params.background_load, params.background_job_s, "background_")


@register_scenario
class Queue(Scenario):
    """The processes of `paper`, and a backlog that decisions move."""

    Params = QueueParams

    def __init__(self, params: QueueParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        super().__init__(params, num_requests, num_draws, max_attempts)
        self.processes["workload"] = workload(params)

    def first_levels(self) -> dict[str, FloatArray]:
        """The other users' work of one interval."""
        return {"backlog_s": np.minimum(self.processes["workload"].values[1], self.params.backlog_limit_s)}

    def next_levels(self, spent: Spent) -> dict[str, FloatArray]:
        """What was there, what the decision and the others added, less what was done meanwhile."""
        elapsed_s, arrived_s = self.processes["workload"].values
        backlog_s = self.levels["backlog_s"] + spent.edge_busy_s + arrived_s - elapsed_s
        return {"backlog_s": np.clip(backlog_s, 0.0, self.params.backlog_limit_s)}
