"""What a plan sends, by direction."""

from __future__ import annotations

from dataclasses import dataclass

from envs.costs.payloads import Payloads
from envs.plans import Plan, Transmit


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
    for stage in plan.stages:
        if isinstance(stage, Transmit):
            bits[_direction(stage)] += stage.copies * payloads.bits(stage.payload)
    return Traffic(bits["uplink"], bits["downlink"], bits["sidelink"], bits["backhaul"])


def _direction(stage: Transmit) -> str:
    if stage.is_backhaul:
        return "backhaul"
    if stage.src == stage.dst:
        return "sidelink"
    return "uplink" if stage.src == "user" else "downlink"
