"""What a served request cost and earned: from plan, state and quality to the reward and `info`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.model import SplitModel
from envs.quality import Served
from envs.rewards import Delivered, has_failed
from envs.scenario import RequestState, Spent

Info = dict[str, Any]

STATE_NAMES = (
    "snr_db",
    "bandwidth_hz",
    "edge_availability",
    "user_availability",
    "density_factor",
    "latency_low_s",
    "latency_high_s",
    "request",
)
"""Entries of `info["state"]`."""


class Settled(NamedTuple):
    """What N requests came to.

    Attributes:
        reward: float64 [N], or [N, M] for a vector of M objectives.
        info: arrays [N].
        spent: what the scenario is told of it.
    """

    reward: NDArray[np.float64]
    info: Info
    spent: Spent


def settle(model: SplitModel, plan: NDArray[np.integer], state: RequestState, served: Served) -> Settled:
    """Price and reward N served requests.

    Where the scenario makes a plan impossible, nothing is served and nothing spent, the request fails, and `info`
    has NaN for its quality.

    Args:
        model: the decision process.
        plan: integers [N], the plan of each.
        state: the requests, links and devices.
        served: what they got.
    """
    prices = model.costs.price(state.link, plan)
    waiting_s = model.scenario.waiting_s(state.features, prices)
    possible = model.scenario.possible(state.features, prices)
    shown = served.quality
    if possible is not None:
        served, prices = served.only(possible), prices.only(possible)
        waiting_s = None if waiting_s is None else waiting_s * possible
        shown = {name: np.where(possible, values, np.nan) for name, values in served.quality.items()}
    attempts = served.attempts.astype(np.float64)  # once, not in each of the products
    parts_s = prices.parts_s(attempts)
    latency_s = parts_s.total
    if waiting_s is not None:
        latency_s += waiting_s
    energy_j = prices.energy_j(attempts, parts_s)
    failed = has_failed(latency_s, served.accepted, model.settings.deadline_s)
    terms = model.reward.terms(
        Delivered(latency_s, energy_j, served.quality, failed, state.latency_low_s, state.latency_high_s)
    )
    info: Info = {
        "latency_s": latency_s,
        "latency_parts_s": {"edge": parts_s.edge, "link": parts_s.link, "user": parts_s.user},
        "energy_j": energy_j,
        "payload_bits": served.attempts * model.payload_bits.take(plan),
        "quality": shown,
        "attempts": served.attempts,
        "accepted": served.accepted,
        "failed": failed,
        "rewards": {name: term.copy() for name, term in terms.items()},
        "state": state_info(state),
    }
    if waiting_s is not None:
        info["latency_parts_s"]["waiting"] = waiting_s
    spent = Spent(parts_s.edge, parts_s.link, parts_s.user, parts_s.user * prices.user_power_w)
    return Settled(model.reward.total(terms), info, spent)


def state_info(state: RequestState) -> Info:
    """The entries of `info["state"]`, arrays [N]; what the scenario shows besides comes last."""
    return {name: getattr(state, name) for name in STATE_NAMES} | dict(state.features)
