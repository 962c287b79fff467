"""The bandwidth at which two plans take equally long."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.costs import CostTable, LinkState, crossover_bandwidth_hz


@given(
    st.integers(1, 19),
    st.floats(-10.0, 20.0),
    st.floats(0.1, 1.0),
    st.floats(0.1, 1.0),
    st.floats(1.0, 3.0),
    st.sampled_from(["shannon", "coded"]),
)
def test_there_both_take_equally_long(
    split: int, snr_db: float, edge: float, user: float, attempts: float, rate: str
) -> None:
    table = CostTable.compile([plans.semaigc(split), plans.edge_aigc()], rate=rate)
    state = LinkState(snr_db, 1.0, edge, user)
    bandwidth_hz = crossover_bandwidth_hz(table, state, (attempts, 1.0))

    def lead_s(at_hz: float) -> float:
        semaigc, edge = table.price(state._replace(bandwidth_hz=at_hz)).latency_s(np.array([[attempts, 1.0]]))[0]
        return edge - semaigc

    if math.isinf(bandwidth_hz):
        assert lead_s(1e12) >= -1e-6
    elif bandwidth_hz > 0:
        assert lead_s(bandwidth_hz) == pytest.approx(0.0, abs=1e-6)
        assert lead_s(bandwidth_hz / 2) > 0 > lead_s(bandwidth_hz * 2)


def test_with_whole_devices_two_steps_at_the_user_cost_336_ms() -> None:
    """0.336 s for 6,160,384 bits less: 18.3 Mbit/s."""
    table = CostTable.compile([plans.semaigc(18), plans.edge_aigc()])
    crossover_hz = crossover_bandwidth_hz(table, LinkState(0.0, 1e6))
    assert crossover_hz == pytest.approx((6_291_456 - 131_072) / (2 * (0.368 - 0.200)))


def test_the_order_of_the_plans_does_not_matter() -> None:
    pair = [plans.semaigc(4), plans.edge_aigc()]
    there, back = (CostTable.compile(order) for order in (pair, pair[::-1]))
    assert crossover_bandwidth_hz(there, LinkState(3.0, 1e6)) == crossover_bandwidth_hz(back, LinkState(3.0, 1e6))


def test_who_sends_less_and_computes_no_longer_always_leads() -> None:
    table = CostTable.compile([plans.semaigc(20), plans.edge_aigc()])
    assert crossover_bandwidth_hz(table, LinkState(0.0, 1e6)) == math.inf


@pytest.mark.parametrize(
    ("chosen", "state", "message"),
    [
        ([plans.edge_aigc()], LinkState(0.0, 1e6), "between two plans, got 1"),
        ([plans.semaigc(3), plans.semaigc(4)], LinkState(0.0, 1e6), "equally many bits"),
        ([plans.semaigc(3), plans.edge_aigc()], LinkState(np.zeros(2), np.ones(2)), "of one state, got 2"),
    ],
)
def test_what_has_no_crossover_is_refused(chosen: list, state: LinkState, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crossover_bandwidth_hz(CostTable.compile(chosen), state)
