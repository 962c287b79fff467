"""Costs: a plan read as bits, seconds and joules, for given devices and link state."""

from __future__ import annotations

from envs.costs.codecs import CodecCurve, codec_curves, image_bits_per_pixel
from envs.costs.devices import A100, GTX_1080_TI, RTX_A6000, Device, DeviceChoice, make_device
from envs.costs.features import LinkState
from envs.costs.formulas import (
    LINKS,
    Link,
    analog_channel_uses,
    channel_uses,
    coded_rate_bps,
    compute_energy_j,
    equal_energy_snr_db,
    sending_energy,
    shannon_rate_bps,
)
from envs.costs.latent_codecs import latent_bits_per_element
from envs.costs.operations import LIGHT_MODELS, Operations, counted_operations
from envs.costs.payloads import Payloads
from envs.costs.pricing import Price, Traffic, crossover_bandwidth_hz, price, traffic
from envs.costs.sources import CostSource, Counted, ReceiverStep, Stated, Timed, cost_source
from envs.costs.table import BACKHAUL_BPS, Bill, CostTable, Parts, Prices, Totals

__all__ = [
    "A100",
    "BACKHAUL_BPS",
    "GTX_1080_TI",
    "LIGHT_MODELS",
    "LINKS",
    "RTX_A6000",
    "Bill",
    "CodecCurve",
    "CostSource",
    "CostTable",
    "Counted",
    "Device",
    "DeviceChoice",
    "Link",
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
    "analog_channel_uses",
    "channel_uses",
    "codec_curves",
    "coded_rate_bps",
    "compute_energy_j",
    "cost_source",
    "counted_operations",
    "crossover_bandwidth_hz",
    "equal_energy_snr_db",
    "image_bits_per_pixel",
    "latent_bits_per_element",
    "make_device",
    "price",
    "sending_energy",
    "shannon_rate_bps",
    "traffic",
]
