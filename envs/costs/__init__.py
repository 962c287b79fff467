"""Costs: a plan read as bits, seconds and joules, for given devices and link state."""

from __future__ import annotations

from envs.costs.devices import GTX_1080_TI, RTX_A6000, Device
from envs.costs.energy import compute_energy_j
from envs.costs.latency import amdahl_s, shannon_rate_bps, transmission_s
from envs.costs.payloads import Payloads
from envs.costs.pricing import Price, price
from envs.costs.table import CostTable, LinkState, Parts, Prices

__all__ = [
    "GTX_1080_TI",
    "RTX_A6000",
    "CostTable",
    "Device",
    "LinkState",
    "Parts",
    "Payloads",
    "Price",
    "Prices",
    "amdahl_s",
    "compute_energy_j",
    "price",
    "shannon_rate_bps",
    "transmission_s",
]
