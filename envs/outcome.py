"""What a served request cost and earned: from plan, state and quality to the reward and `info`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.model import SplitModel
from envs.quality import Served
from envs.rewards import Delivered, has_failed
from envs.scenario import RequestState

Info = dict[str, Any]

STATE_NAMES = (
    "snr_db",
    "bandwidth_hz",
    "tx_availability",
    "rx_availability",
    "density_factor",
    "latency_low_s",
    "latency_high_s",
    "request",
)
"""Entries of `info["state"]`."""


def settle(
    model: SplitModel, plan: NDArray[np.integer], state: RequestState, served: Served
) -> tuple[NDArray[np.float64], Info]:
    """Price and reward N served requests.

    Args:
        model: the decision process.
        plan: integers [N], the plan of each.
        state: the requests, links and devices.
        served: what they got.

    Returns:
        (rewards float64 [N], or [N, M] for a vector of M objectives; info as arrays [N]).
    """
    prices = model.costs.price(state.link, plan)
    attempts = served.attempts.astype(np.float64)  # once, not in each of the products
    parts_s = prices.parts_s(attempts)
    latency_s = parts_s.total
    energy_j = prices.energy_j(attempts, parts_s)
    failed = has_failed(latency_s, served.accepted, model.settings.deadline_s)
    terms = model.reward.terms(
        Delivered(latency_s, energy_j, served.quality, failed, state.latency_low_s, state.latency_high_s)
    )
    return model.reward.total(terms), {
        "latency_s": latency_s,
        "latency_parts_s": {"transmitter": parts_s.transmitter, "link": parts_s.link, "receiver": parts_s.receiver},
        "energy_j": energy_j,
        "payload_bits": served.attempts * model.payload_bits.take(plan),
        "quality": dict(served.quality),
        "attempts": served.attempts,
        "accepted": served.accepted,
        "failed": failed,
        "rewards": {name: term.copy() for name, term in terms.items()},
        "state": state_info(state),
    }


def state_info(state: RequestState) -> Info:
    """The entries of `info["state"]`, arrays [N]."""
    return {name: getattr(state, name) for name in STATE_NAMES}
