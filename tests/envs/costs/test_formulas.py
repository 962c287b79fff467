"""The formulas behind prices, and links by name."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.costs import (
    CostTable,
    LinkState,
    coded_rate_bps,
    compute_energy_j,
    price,
    shannon_rate_bps,
)
from envs.costs.formulas import LINKS, serial_share

SNR_DB = st.floats(-40.0, 60.0)
BANDWIDTH_HZ = st.floats(1e3, 1e9)


def test_shannons_rate() -> None:
    assert shannon_rate_bps(20e6, 0.0) == pytest.approx(20e6)
    assert shannon_rate_bps(1.0, 10.0 * math.log10(3.0)) == pytest.approx(2.0)
    rates = shannon_rate_bps(np.array([1e6, 2e6]), np.array([0.0, -6.0]))
    assert rates == pytest.approx([1e6, 2e6 * math.log2(1.0 + 10.0**-0.6)])


@pytest.mark.parametrize(
    ("plan", "bandwidth_hz", "seconds", "within"),
    [
        (plans.semaigc(20), 20e6, 0.0203, 1e-4),
        (plans.edge_aigc(), 20e6, 0.973, 1e-3),
        (plans.edge_aigc(), 0.43e6, 45, 0.45),
    ],
    ids=["20 ms a latent", "a second an image", "45 s an image over 430 kHz"],
)
def test_what_sending_takes_at_minus_6_db(plan: plans.Plan, bandwidth_hz: float, seconds: float, within: float) -> None:
    sent = price(plan, snr_db=-6.0, bandwidth_hz=bandwidth_hz)
    assert sent.latency_parts_s["link"] == pytest.approx(seconds, abs=within)


@given(BANDWIDTH_HZ, SNR_DB)
def test_rate_grows_with_bandwidth_and_snr(bandwidth_hz: float, snr_db: float) -> None:
    rate_bps = shannon_rate_bps(bandwidth_hz, snr_db)
    assert shannon_rate_bps(2.0 * bandwidth_hz, snr_db) == pytest.approx(2.0 * rate_bps)
    assert shannon_rate_bps(bandwidth_hz, snr_db + 1.0) > rate_bps > 0.0


@given(st.floats(0.0, 1.0), st.integers(1, 20_000))
def test_amdahl_lies_between_all_cores_and_one(parallel_fraction: float, cores: int) -> None:
    assert 1.0 / cores - 1e-12 <= serial_share(cores, parallel_fraction) <= 1.0 + 1e-12


def test_amdahls_law() -> None:
    assert serial_share(cores=1, parallel_fraction=0.7) == pytest.approx(1.0)
    assert serial_share(cores=10, parallel_fraction=1.0) == pytest.approx(0.1)
    assert serial_share(cores=4, parallel_fraction=0.5) == pytest.approx(0.625)


@given(st.floats(1e3, 1e9), st.floats(-30.0, 30.0))
def test_a_coded_link_is_slower_than_shannon_and_grows_with_the_bandwidth(bandwidth_hz: float, snr_db: float) -> None:
    rate_bps = coded_rate_bps(bandwidth_hz, snr_db)
    assert 0.0 < rate_bps < shannon_rate_bps(bandwidth_hz, snr_db)
    assert coded_rate_bps(2 * bandwidth_hz, snr_db) == pytest.approx(2 * rate_bps)


@pytest.mark.parametrize("name", sorted(LINKS))
def test_an_image_takes_its_bits_over_the_rate(name: str) -> None:
    edge = price(plans.edge_aigc(), snr_db=3.0, bandwidth_hz=2e6, link=name)
    assert edge.latency_parts_s["link"] == pytest.approx(6_291_456 / float(LINKS[name].rate_bps(2e6, 3.0)))


def test_only_the_seconds_on_the_link_depend_on_it_and_the_papers_is_the_default() -> None:
    chosen = plans.expand(["semaigc", "edge_aigc", "local_aigc"])
    default, shannon, coded = (
        CostTable.compile(chosen, **given) for given in ({}, {"link": "paper"}, {"link": "digital"})
    )
    state = LinkState(np.array([-6.0, 9.0]), np.array([1e6, 2e7]))
    parts, same, other = (table.price(state).parts_s(2) for table in (default, shannon, coded))
    np.testing.assert_array_equal(parts.total, same.total)
    np.testing.assert_array_equal(parts.edge, other.edge)
    np.testing.assert_array_equal(parts.user, other.user)
    sends = default.payload_bits > 0
    assert np.all(other.link[:, sends] > parts.link[:, sends])
    sent_s = state.features(coded_rate_bps).T @ coded.coefficients[1]
    np.testing.assert_allclose(sent_s, coded.price(state).repeat_s.total, rtol=1e-13)


@given(st.floats(-20.0, 29.0), st.floats(0.0, 1.0))
def test_more_snr_is_no_slower(snr_db: float, more_db: float) -> None:
    table = CostTable.compile([plans.edge_aigc()], link="digital")
    slow, fast = (table.price(LinkState(level_db, 1e6)).bill() for level_db in (snr_db, snr_db + more_db))
    assert np.all(fast.latency_s <= slow.latency_s)


def test_an_unknown_link_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown link 'polar'; allowed: paper, analog, digital"):
        price(plans.edge_aigc(), snr_db=0.0, bandwidth_hz=1e6, link="polar")


@pytest.mark.parametrize(("link", "mean_s"), [("paper", 15.2), ("digital", 30.0)])
def test_an_image_at_minus_6_db_over_the_bandwidths_of_the_scenario(link: str, mean_s: float) -> None:
    """Log-uniform in 0.3 to 20 MHz; the 45 s of SemAIGC's figure 9 are not reached."""
    bandwidth_hz = np.geomspace(0.3e6, 20e6, 4001)
    sending_s = 6_291_456 / LINKS[link].rate_bps(bandwidth_hz, -6.0)
    assert sending_s.mean() == pytest.approx(mean_s, abs=0.1)


def test_seconds_times_watts() -> None:
    assert compute_energy_j(2.0, 300.0) == 600.0


def test_both_devices_are_counted_and_the_link_is_not() -> None:
    energy_j = price(plans.semaigc(12), snr_db=0.0, bandwidth_hz=1e6).energy_j
    assert energy_j == pytest.approx(300.0 * (0.75 + 12 * 0.200) + 250.0 * (8 * 0.368 + 1.196))
    assert price(plans.semaigc(12), snr_db=0.0, bandwidth_hz=1e3).energy_j == energy_j


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_a_split_lies_between_its_ends(edge_availability: float, user_availability: float) -> None:
    table = CostTable.compile(plans.expand([f"semaigc({split})" for split in range(1, 21)]))
    energy_j = table.price(LinkState(0.0, 1e6, edge_availability, user_availability)).bill().energy_j[0]
    ends = sorted((energy_j[0], energy_j[-1]))
    assert np.all((energy_j >= ends[0] * (1 - 1e-12)) & (energy_j <= ends[1] * (1 + 1e-12)))
