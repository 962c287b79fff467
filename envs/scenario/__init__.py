"""Scenarios: how links, devices and requests vary from one request to the next, one a file."""

from envs.scenario.parameters import PROCESSES, ScenarioParams
from envs.scenario.scenario import (
    SCENARIOS,
    RequestState,
    Scenario,
    Spent,
    make_scenario,
    register_scenario,
    resolve_scenario,
)

# isort: split
# Files of scenarios: whatever they are called, they may import from this package what stands above.
from envs.scenario.battery import Battery, BatteryParams
from envs.scenario.bursty_edge import BurstyEdge, BurstyEdgeParams
from envs.scenario.cache import Cache, CacheParams
from envs.scenario.iot import IoT, IoTParams
from envs.scenario.queue import Queue, QueueParams
from envs.scenario.urban_fading import UrbanFading, UrbanFadingParams

__all__ = [
    "PROCESSES",
    "SCENARIOS",
    "Battery",
    "BatteryParams",
    "BurstyEdge",
    "BurstyEdgeParams",
    "Cache",
    "CacheParams",
    "IoT",
    "IoTParams",
    "Queue",
    "QueueParams",
    "RequestState",
    "Scenario",
    "ScenarioParams",
    "Spent",
    "UrbanFading",
    "UrbanFadingParams",
    "make_scenario",
    "register_scenario",
    "resolve_scenario",
]
