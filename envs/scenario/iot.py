"""Scenario `iot`: a narrow band to a small device, where every bit that is sent counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from envs.checks import Range
from envs.scenario.parameters import ScenarioParams
from envs.scenario.scenario import Scenario, register_scenario


@dataclass(frozen=True)
class IoTParams(ScenarioParams):
    """As `paper`, with 0.1 to 1 MHz, a weaker link and users who wait longer.

    At 0.1 MHz and -12 dB a latent takes 15 s, so that an attempt that fails is dear and doing all at the user,
    which sends nothing, has its states.
    """

    NAME: ClassVar[str] = "iot"

    snr_db: Range = (-12.0, 6.0)
    bandwidth_hz: Range = (0.1e6, 1e6)
    latency_low_s: Range = (7.5, 15.0)


@register_scenario
class IoT(Scenario):
    """The processes of `paper` over other ranges."""

    Params = IoTParams
