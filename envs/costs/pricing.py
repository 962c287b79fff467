"""The price of one plan in one state, what it sends, and the bandwidth at which two plans change places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from envs.checks import integer
from envs.costs.devices import A100, GTX_1080_TI, RTX_A6000, Device
from envs.costs.features import LinkState
from envs.costs.payloads import Payloads
from envs.costs.table import BACKHAUL_BPS, CostTable
from envs.plans import Plan, Transmit


@dataclass(frozen=True)
class Price:
    """What a plan costs, for all the requests that it serves together.

    Attributes:
        latency_s: seconds from the request to the image, over all attempts.
        latency_parts_s: the same by part: `edge`, `link`, `user`, and `cloud` where the plan uses it.
        energy_j: joules of all devices.
        payload_bits: bits sent over the wireless link, in all attempts and before; symbols are none.
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
    link: str = "paper",
    backhaul_bps: float = BACKHAUL_BPS,
    cloud: Device = A100,
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
        link: `paper`, `analog` or `digital` (`envs.costs.formulas.LINKS`).
        backhaul_bps: rate between cloud and edge.
        cloud: the device of the cloud.

    Raises:
        ValueError: NaN or infinite SNR, bandwidth or density <= 0, availability outside (0, 1], attempts < 1,
            an unknown link, or a backhaul without a rate.
    """
    state = LinkState(snr_db, bandwidth_hz, edge_availability, user_availability, density_factor)
    state.validate()
    integer("attempts", attempts, 1)
    table = CostTable.compile([plan], edge, user, payload_bits, link, backhaul_bps, cloud)
    parts, latency_s, energy_j = table.price(state).bill(attempts)
    return Price(
        latency_s=latency_s.item(),
        latency_parts_s={name: seconds.item() for name, seconds in parts.by_name().items()},
        energy_j=energy_j.item(),
        payload_bits=int(table.once_bits.item() + attempts * table.payload_bits.item()),
    )


@dataclass(frozen=True)
class Traffic:
    """Bits of one attempt, weights that are sent first included.

    Attributes:
        uplink_bits: from users to the edge.
        downlink_bits: from the edge to users.
        sidelink_bits: from users to users.
        backhaul_bits: between cloud and edge.
    """

    uplink_bits: int
    downlink_bits: int
    sidelink_bits: int
    backhaul_bits: int

    @property
    def wireless_bits(self) -> int:
        """All but the backhaul's."""
        return self.uplink_bits + self.downlink_bits + self.sidelink_bits


def traffic(plan: Plan, payloads: Payloads = Payloads()) -> Traffic:  # noqa: B008  (frozen)
    """Count the bits that a plan sends (MEG, figure 6: "communication overhead")."""
    bits = dict.fromkeys(("uplink", "downlink", "sidelink", "backhaul"), 0)
    for stage, share in zip(plan.stages, plan.shares_done, strict=True):
        if isinstance(stage, Transmit):
            bits[_direction(stage)] += payloads.sent_bits(stage, share)
    return Traffic(bits["uplink"], bits["downlink"], bits["sidelink"], bits["backhaul"])


def _direction(stage: Transmit) -> str:
    if stage.is_backhaul:
        return "backhaul"
    if stage.src == stage.dst:
        return "sidelink"
    return "uplink" if stage.src == "user" else "downlink"


def crossover_bandwidth_hz(table: CostTable, state: LinkState, attempts: tuple[float, float] = (1.0, 1.0)) -> float:
    """Bandwidth at which both plans of a table take equally long.

    Below it the plan that sends fewer bits is faster, above it the other one. With the latencies
    `c_i + bits_i / (B e)`, e the spectral efficiency at the SNR, `B = (bits_2 - bits_1) / (e (c_1 - c_2))`.
    Source: own derivation; SemAIGC's Proposition 2 solved for the bandwidth, without its absolute value.

    Args:
        table: of two plans.
        state: one state of link and devices; its bandwidth has no effect.
        attempts: expected attempts of each plan (see `envs.costs.table`).

    Returns:
        Hertz; infinite if the plan that sends fewer bits is faster at every bandwidth.

    Raises:
        ValueError: another number of plans, several states, or plans that send equally many bits.
    """
    if len(table.plans) != 2:
        raise ValueError(f"a crossover is between two plans, got {len(table.plans)}")
    prices = table.price(
        LinkState(state.snr_db, 1.0, state.edge_availability, state.user_availability, state.density_factor)
    )
    if len(prices.once_s.link) != 1:
        raise ValueError(f"a crossover is of one state, got {len(prices.once_s.link)}")
    parts = prices.parts_s(np.array([attempts]))
    compute_s, link_s_hz = (parts.edge + parts.user)[0], parts.link[0]
    compute_s = compute_s if parts.cloud is None else compute_s + parts.cloud[0]
    if link_s_hz[0] == link_s_hz[1]:
        raise ValueError("both plans send equally many bits: their order does not depend on the bandwidth")
    light, heavy = (0, 1) if link_s_hz[0] < link_s_hz[1] else (1, 0)
    slower_s = compute_s[light] - compute_s[heavy]
    return math.inf if slower_s <= 0 else float((link_s_hz[heavy] - link_s_hz[light]) / slower_s)
