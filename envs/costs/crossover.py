"""The bandwidth at which two plans change places."""

from __future__ import annotations

import math

import numpy as np

from envs.costs.table import CostTable, LinkState


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
    if link_s_hz[0] == link_s_hz[1]:
        raise ValueError("both plans send equally many bits: their order does not depend on the bandwidth")
    light, heavy = (0, 1) if link_s_hz[0] < link_s_hz[1] else (1, 0)
    slower_s = compute_s[light] - compute_s[heavy]
    return math.inf if slower_s <= 0 else float((link_s_hz[heavy] - link_s_hz[light]) / slower_s)
