"""Costs: a plan read as bits, seconds and joules, for given devices and link state."""

from __future__ import annotations

from envs.costs.devices import GTX_1080_TI, RTX_A6000, Device, DeviceChoice, make_device
from envs.costs.formulas import RATES, coded_rate_bps, compute_energy_j, shannon_rate_bps
from envs.costs.operations import LIGHT_MODELS, Operations, counted_operations
from envs.costs.payloads import Payloads
from envs.costs.pricing import Price, Traffic, crossover_bandwidth_hz, price, traffic
from envs.costs.sources import CostSource, Counted, ReceiverStep, Stated, Timed, cost_source
from envs.costs.table import BACKHAUL_BPS, Bill, CostTable, LinkState, Parts, Prices, Totals

__all__ = [
    "BACKHAUL_BPS",
    "GTX_1080_TI",
    "LIGHT_MODELS",
    "RATES",
    "RTX_A6000",
    "Bill",
    "CostSource",
    "CostTable",
    "Counted",
    "Device",
    "DeviceChoice",
    "LinkState",
    "Operations",
    "Parts",
    "Payloads",
    "Price",
    "Prices",
    "ReceiverStep",
    "Stated",
    "Timed",
    "Totals",
    "Traffic",
    "coded_rate_bps",
    "compute_energy_j",
    "cost_source",
    "counted_operations",
    "crossover_bandwidth_hz",
    "make_device",
    "price",
    "shannon_rate_bps",
    "traffic",
]
