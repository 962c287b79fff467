"""Proposition 2 against the definition that it is derived from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.experiments.semaigc.prop2 import printed_bound, right_bound

IMAGE_BITS, LATENT_BITS = 6_291_456, 131_072
rates_bps = st.floats(1e5, 1e8)
seconds = st.floats(-20, 20)


@given(rates_bps, seconds, st.floats(1e-4, 0.9999))
def test_the_right_bound_is_the_comparison_of_latencies(rate_bps: float, extra_s: float, rate: float) -> None:
    semaigc_s, edge_s = rate * IMAGE_BITS / rate_bps + extra_s, IMAGE_BITS / rate_bps
    bound = float(right_bound(rate_bps, IMAGE_BITS, extra_s))
    if abs(semaigc_s - edge_s) > 1e-9 * (abs(extra_s) + edge_s):
        assert (rate < bound) == (semaigc_s < edge_s)


@given(rates_bps, st.floats(0, 20))
def test_at_the_latents_own_rate_the_printed_bound_is_right_where_it_has_a_sign(
    rate_bps: float, extra_s: float
) -> None:
    rate = LATENT_BITS / IMAGE_BITS
    margin = rate * IMAGE_BITS / rate_bps + extra_s - IMAGE_BITS / rate_bps
    if abs(margin) > 1e-6:
        assert (rate < float(printed_bound(rate_bps, LATENT_BITS, extra_s))) == (margin < 0)


def test_the_absolute_value_asks_for_a_bound_where_there_is_none() -> None:
    rate_bps, extra_s = 1e7, -1.0  # the receiver is a second faster than the edge
    assert right_bound(rate_bps, IMAGE_BITS, extra_s) > 1
    assert printed_bound(rate_bps, LATENT_BITS, extra_s) == pytest.approx(1 / (1e7 / LATENT_BITS - 1))
    assert printed_bound(rate_bps, LATENT_BITS, extra_s) < LATENT_BITS / IMAGE_BITS
