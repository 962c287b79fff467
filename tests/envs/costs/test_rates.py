"""Rates by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.costs import CostTable, LinkState, coded_rate_bps, price, shannon_rate_bps
from envs.costs.formulas import RATES, rate_named


@given(st.floats(1e3, 1e9), st.floats(-30.0, 30.0))
def test_a_coded_link_is_slower_than_shannon_and_grows_with_the_bandwidth(bandwidth_hz: float, snr_db: float) -> None:
    rate_bps = coded_rate_bps(bandwidth_hz, snr_db)
    assert 0.0 < rate_bps < shannon_rate_bps(bandwidth_hz, snr_db)
    assert coded_rate_bps(2 * bandwidth_hz, snr_db) == pytest.approx(2 * rate_bps)


@pytest.mark.parametrize("name", sorted(RATES))
def test_the_link_takes_payload_over_rate(name: str) -> None:
    edge = price(plans.edge_aigc(), snr_db=3.0, bandwidth_hz=2e6, rate=name)
    assert edge.latency_parts_s["link"] == pytest.approx(6_291_456 / float(RATES[name](2e6, 3.0)))


def test_only_the_link_depends_on_the_rate_and_shannon_is_the_default() -> None:
    chosen = plans.expand(["semaigc", "edge_aigc", "local_aigc"])
    default, shannon, coded = (
        CostTable.compile(chosen, **given) for given in ({}, {"rate": "shannon"}, {"rate": "coded"})
    )
    state = LinkState(np.array([-6.0, 9.0]), np.array([1e6, 2e7]))
    parts, same, other = (table.price(state).parts_s(2) for table in (default, shannon, coded))
    np.testing.assert_array_equal(parts.total, same.total)
    np.testing.assert_array_equal(parts.edge, other.edge)
    np.testing.assert_array_equal(parts.user, other.user)
    sends = default.payload_bits > 0
    assert np.all(other.link[:, sends] > parts.link[:, sends])
    np.testing.assert_allclose(coded.totals_s(state)[1], coded.price(state).repeat_s.total, rtol=1e-13)


@given(st.floats(-20.0, 29.0), st.floats(0.0, 1.0))
def test_more_snr_is_no_slower(snr_db: float, more_db: float) -> None:
    table = CostTable.compile([plans.edge_aigc()], rate="coded")
    state = LinkState(snr_db, 1e6)
    assert np.all(table.price(state._replace(snr_db=snr_db + more_db)).latency_s() <= table.price(state).latency_s())


def test_an_unknown_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown rate 'polar'; allowed: shannon, coded"):
        rate_named("polar")
    with pytest.raises(ValueError, match="unknown rate 'polar'"):
        price(plans.edge_aigc(), snr_db=0.0, bandwidth_hz=1e6, rate="polar")


@pytest.mark.parametrize(("rate", "mean_s"), [("shannon", 15.2), ("coded", 25.2)])
def test_an_image_at_minus_6_db_over_the_bandwidths_of_the_scenario(rate: str, mean_s: float) -> None:
    """Log-uniform in 0.3 to 20 MHz; the 45 s of SemAIGC's figure 9 are not reached."""
    bandwidth_hz = np.geomspace(0.3e6, 20e6, 4001)
    sending_s = 6_291_456 / RATES[rate](bandwidth_hz, -6.0)
    assert sending_s.mean() == pytest.approx(mean_s, abs=0.1)
