from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import costs, plans

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
        ({"snr_db": math.nan}, "snr_db must be finite, got nan"),
        ({"snr_db": math.inf}, "snr_db must be finite, got inf"),
        ({"bandwidth_hz": 0.0}, "bandwidth_hz must be positive and finite, got 0.0"),
        ({"bandwidth_hz": math.nan}, "bandwidth_hz must be positive and finite, got nan"),
        ({"density_factor": -1.0}, "density_factor must be positive"),
        ({"edge_availability": 0.0}, r"edge_availability must lie in \(0, 1\], got 0.0"),
        ({"user_availability": 1.1}, r"user_availability must lie in \(0, 1\], got 1.1"),
        ({"user_availability": math.nan}, r"user_availability must lie in \(0, 1\], got nan"),
        ({"attempts": 0}, "attempts must be an integer >= 1, got 0"),
        ({"attempts": 1.5}, "attempts must be an integer >= 1, got 1.5"),
    ],
)
def test_bad_input_has_no_price(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        costs.price(plans.semaigc(12), **{**FULL_BAND, **wrong})
