"""Prices of single plans, and the bandwidth at which two take equally long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import costs, plans
from envs.costs import CostTable, LinkState, crossover_bandwidth_hz

FULL_BAND: dict[str, Any] = {"snr_db": -6.0, "bandwidth_hz": 20e6}


def test_semaigc_at_minus_6_db() -> None:
    price = costs.price(plans.semaigc(12), **FULL_BAND)
    link_s = 131_072 / (20e6 * math.log2(1.0 + 10.0**-0.6))
    assert price.latency_parts_s == pytest.approx(
        {"edge": 0.75 + 12 * 0.200, "link": link_s, "user": 8 * 0.368 + 1.196}
    )
    assert price.latency_s == pytest.approx(sum(price.latency_parts_s.values()))
    assert price.payload_bits == 131_072


def test_split_zero_is_local_and_sends_nothing() -> None:
    price = costs.price(plans.semaigc(0), **FULL_BAND)
    assert price == costs.price(plans.local_aigc(), **FULL_BAND)
    assert price.latency_parts_s == pytest.approx({"edge": 0.0, "link": 0.0, "user": 9.306})
    assert price.payload_bits == 0


def test_edge_sends_an_image_in_a_second() -> None:
    price = costs.price(plans.edge_aigc(), **FULL_BAND)
    assert price.latency_parts_s == pytest.approx({"edge": 5.946, "link": 0.973, "user": 0.0}, abs=1e-3)
    assert price.payload_bits == 6_291_456


def test_availability_and_density_stretch_the_computing() -> None:
    price = costs.price(
        plans.semaigc(10),
        snr_db=0.0,
        bandwidth_hz=1e6,
        edge_availability=0.5,
        user_availability=0.25,
        density_factor=1.2,
    )
    assert price.latency_parts_s["edge"] == pytest.approx((0.75 + 1.2 * 2.0) / 0.5)
    assert price.latency_parts_s["user"] == pytest.approx((1.2 * 3.68 + 1.196) / 0.25)


@given(st.integers(0, 20), st.integers(1, 5))
def test_attempts_add_the_user_and_the_link_only(split: int, attempts: int) -> None:
    plan = plans.semaigc(split)
    one, two, many = (costs.price(plan, **FULL_BAND, attempts=count) for count in (1, 2, attempts))
    assert many.latency_s == pytest.approx(one.latency_s + (attempts - 1) * (two.latency_s - one.latency_s))
    assert many.latency_parts_s["edge"] == one.latency_parts_s["edge"]
    assert many.latency_parts_s["link"] == pytest.approx(attempts * one.latency_parts_s["link"])
    assert many.payload_bits == attempts * one.payload_bits


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"snr_db": math.nan}, "snr_db must be a finite number, got nan"),
        ({"snr_db": math.inf}, "snr_db must be a finite number, got inf"),
        ({"bandwidth_hz": 0.0}, "bandwidth_hz must be a finite number > 0, got 0.0"),
        ({"bandwidth_hz": math.nan}, "bandwidth_hz must be a finite number > 0, got nan"),
        ({"density_factor": -1.0}, "density_factor must be a finite number > 0"),
        ({"edge_availability": 0.0}, r"edge_availability must be a finite number in \(0, 1\], got 0.0"),
        ({"user_availability": 1.1}, r"user_availability must be a finite number in \(0, 1\], got 1.1"),
        ({"user_availability": math.nan}, r"user_availability must be a finite number in \(0, 1\], got nan"),
        ({"attempts": 0}, "attempts must be an integer >= 1, got 0"),
        ({"attempts": 1.5}, "attempts must be an integer >= 1, got 1.5"),
    ],
)
def test_bad_input_has_no_price(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        costs.price(plans.semaigc(12), **{**FULL_BAND, **wrong})


@given(
    st.integers(1, 19),
    st.floats(-10.0, 20.0),
    st.floats(0.1, 1.0),
    st.floats(0.1, 1.0),
    st.floats(1.0, 3.0),
    st.sampled_from(["paper", "analog", "digital"]),
)
def test_there_both_take_equally_long(
    split: int, snr_db: float, edge: float, user: float, attempts: float, link: str
) -> None:
    table = CostTable.compile([plans.semaigc(split), plans.edge_aigc()], link=link)
    state = LinkState(snr_db, 1.0, edge, user)
    bandwidth_hz = crossover_bandwidth_hz(table, state, (attempts, 1.0))

    def lead_s(at_hz: float) -> float:
        bill = table.price(state._replace(bandwidth_hz=at_hz)).bill(np.array([[attempts, 1.0]]))
        return float(bill.latency_s[0, 1] - bill.latency_s[0, 0])

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
