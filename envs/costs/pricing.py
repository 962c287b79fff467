"""The price of one plan in one state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from envs.costs.devices import GTX_1080_TI, RTX_A6000, Device
from envs.costs.payloads import Payloads
from envs.costs.table import BACKHAUL_BPS, CostTable, LinkState
from envs.plans import Plan


@dataclass(frozen=True)
class Price:
    """What a plan costs, for all the requests that it serves together.

    Attributes:
        latency_s: seconds from the request to the image, over all attempts.
        latency_parts_s: the same by part: `edge`, `link`, `user`.
        energy_j: joules of all devices.
        payload_bits: bits sent over the wireless link, in all attempts and before.
    """

    latency_s: float
    latency_parts_s: dict[str, float]
    energy_j: float
    payload_bits: int


def price(
    plan: Plan,
    *,
    snr_db: float,
    bandwidth_hz: float,
    edge_availability: float = 1.0,
    user_availability: float = 1.0,
    density_factor: float = 1.0,
    edge: Device = RTX_A6000,
    user: Device = GTX_1080_TI,
    payload_bits: Payloads = Payloads(),  # noqa: B008  (frozen)
    attempts: int = 1,
    rate: str = "shannon",
    backhaul_bps: float = BACKHAUL_BPS,
) -> Price:
    """Price a plan: the reading of a plan beside its execution.

    Args:
        plan: what is done.
        snr_db, bandwidth_hz: the link.
        edge_availability, user_availability: share of each device that is available, (0, 1].
        density_factor: multiplies the work of the denoising steps.
        edge, user: the devices of the edge and of the user.
        payload_bits: sizes of the payloads.
        attempts: how often the part from the hand-over on is done, >= 1 (see `envs.costs.table`).
        rate: `shannon`, or `coded` for what a coded link carries (see `envs.costs.rates`).
        backhaul_bps: rate between cloud and edge.

    Raises:
        ValueError: NaN or infinite SNR, bandwidth or density <= 0, availability outside (0, 1], attempts < 1,
            an unknown rate, or a backhaul without one.
    """
    state = LinkState(snr_db, bandwidth_hz, edge_availability, user_availability, density_factor)
    state.validate()
    if isinstance(attempts, bool) or not isinstance(attempts, int | np.integer) or attempts < 1:
        raise ValueError(f"attempts must be an integer >= 1, got {attempts!r}")
    table = CostTable.compile([plan], edge, user, payload_bits, rate, backhaul_bps)
    prices = table.price(state)
    parts = prices.parts_s(attempts)
    return Price(
        latency_s=parts.total.item(),
        latency_parts_s={
            "edge": parts.edge.item(),
            "link": parts.link.item(),
            "user": parts.user.item(),
        },
        energy_j=prices.energy_j(attempts).item(),
        payload_bits=int(table.once_bits.item() + attempts * table.payload_bits.item()),
    )
