from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.costs import Payloads, amdahl_s, shannon_rate_bps, transmission_s

SNR_DB = st.floats(-40.0, 60.0)
BANDWIDTH_HZ = st.floats(1e3, 1e9)


def test_shannons_rate() -> None:
    assert shannon_rate_bps(20e6, 0.0) == pytest.approx(20e6)
    assert shannon_rate_bps(1.0, 10.0 * math.log10(3.0)) == pytest.approx(2.0)
    rates = shannon_rate_bps(np.array([1e6, 2e6]), np.array([0.0, -6.0]))
    assert rates == pytest.approx([1e6, 2e6 * math.log2(1.0 + 10.0**-0.6)])


def test_a_latent_takes_20_ms_and_an_image_a_second_at_minus_6_db() -> None:
    rate_bps = shannon_rate_bps(20e6, -6.0)
    assert transmission_s(Payloads().latent, rate_bps) == pytest.approx(0.0203, abs=1e-4)
    assert transmission_s(Payloads().image, rate_bps) == pytest.approx(0.973, abs=1e-3)


def test_forty_five_seconds_an_image_need_430_khz() -> None:
    assert transmission_s(Payloads().image, shannon_rate_bps(0.43e6, -6.0)) == pytest.approx(45.0, rel=0.01)


@given(BANDWIDTH_HZ, SNR_DB)
def test_rate_grows_with_bandwidth_and_snr(bandwidth_hz: float, snr_db: float) -> None:
    rate_bps = shannon_rate_bps(bandwidth_hz, snr_db)
    assert shannon_rate_bps(2.0 * bandwidth_hz, snr_db) == pytest.approx(2.0 * rate_bps)
    assert shannon_rate_bps(bandwidth_hz, snr_db + 1.0) > rate_bps > 0.0


@given(st.floats(0.0, 1.0), st.integers(1, 20_000))
def test_amdahl_lies_between_all_cores_and_one(parallel_fraction: float, cores: int) -> None:
    seconds = amdahl_s(2.0, 300.0, 100.0, cores, parallel_fraction)
    assert 6.0 / cores - 1e-12 <= seconds <= 6.0 + 1e-12


def test_amdahls_law() -> None:
    assert amdahl_s(2.0, 300.0, 100.0, cores=1, parallel_fraction=0.7) == pytest.approx(6.0)
    assert amdahl_s(2.0, 300.0, 100.0, cores=10, parallel_fraction=1.0) == pytest.approx(0.6)
    assert amdahl_s(2.0, 300.0, 100.0, cores=4, parallel_fraction=0.5, constant_s=1.5) == pytest.approx(5.25)
