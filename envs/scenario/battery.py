"""Scenario `battery`: the user's device has a budget of energy for the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from envs.checks import Range, interval, number
from envs.costs import Prices
from envs.scenario.parameters import ScenarioParams
from envs.scenario.processes import SessionUniform
from envs.scenario.scenario import Scenario, Spent, register_scenario
from envs.units import FloatArray

BATTERY_J = (0.0, 50e3)
"""Bounds of the observed charge."""


@dataclass(frozen=True)
class BatteryParams(ScenarioParams):
    """As `paper`, but the user's joules come out of a battery that nothing charges during the session.

    A plan is possible while the battery holds the user's joules of its first attempt; further attempts take
    what is left, and the last joules may fall short of what they take. Decoding takes the user's energy too:
    only plans that send the finished image, such as `edge_aigc`, need none, so that an environment without them has
    requests for which nothing is possible.

    Attributes:
        battery_j: uniform, drawn once a session; joules at its start, within [0, 50,000].

    Raises:
        ValueError: as `ScenarioParams`, or a charge out of its bounds.
    """

    NAME: ClassVar[str] = "battery"
    IS_SEQUENTIAL: ClassVar[bool] = True
    FEATURES: ClassVar[Mapping[str, Range]] = {"battery_j": BATTERY_J}
    LIMITS_PLANS: ClassVar[bool] = True

    battery_j: Range = (8e3, 24e3)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "battery_j", interval("battery_j", self.battery_j))
        for end in self.battery_j:
            number("battery_j", end, *BATTERY_J)

    def possible(self, features: Mapping[str, FloatArray], prices: Prices) -> NDArray[np.bool_]:
        """Whether the battery holds what the user needs for a first attempt."""
        needed_j = (prices.once_s.user + prices.repeat_s.user) * prices.user_power_w
        return np.asarray(needed_j <= features["battery_j"])


@register_scenario
class Battery(Scenario):
    """The processes of `paper`, and a battery that decisions drain."""

    Params = BatteryParams

    def __init__(self, params: BatteryParams, num_requests: int, num_draws: int, max_attempts: int) -> None:
        super().__init__(params, num_requests, num_draws, max_attempts)
        self.processes["charge"] = SessionUniform()

    def first_levels(self) -> dict[str, FloatArray]:
        """A charge drawn for the session."""
        low, high = self.params.battery_j
        return {"battery_j": low + (high - low) * self.processes["charge"].values}

    def next_levels(self, spent: Spent) -> dict[str, FloatArray]:
        """What is left."""
        return {"battery_j": np.maximum(self.levels["battery_j"] - spent.user_energy_j, 0.0)}
