"""The modulation-and-coding table, without the link-level library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.channels.mcs import MODULATIONS, REPEATS, Modulation, Scheme, pick, schemes, spectral_efficiency

SNR_DB = st.floats(-30.0, 30.0)
SCENARIO_DB = np.linspace(-6.0, 15.0, 211)


def test_every_modulation_was_measured() -> None:
    rows = [scheme.modulation for scheme in schemes() if scheme.repeats == 1]
    assert sorted(rows, key=MODULATIONS.index) == list(MODULATIONS)
    assert sorted(scheme.repeats for scheme in schemes() if scheme.modulation == MODULATIONS[0]) == list(REPEATS)


def test_the_blocks_have_the_rates_of_the_code() -> None:
    assert Modulation(4, 512).coded_bits(1000) == 2048
    for modulation in MODULATIONS:
        coded = modulation.coded_bits(1024)
        assert coded % modulation.bits_per_symbol == 0
        assert 1 / 5 <= 1048 / coded <= 948 / 1024


@given(SNR_DB, st.floats(0.0, 10.0))
def test_more_snr_carries_no_less(snr_db: float, more_db: float) -> None:
    assert 0.0 < spectral_efficiency(snr_db) <= spectral_efficiency(snr_db + more_db)


@given(SNR_DB)
def test_no_code_beats_shannon(snr_db: float) -> None:
    assert spectral_efficiency(snr_db) < np.log2(1 + 10 ** (snr_db / 10))


def test_the_share_of_shannon_in_the_scenario() -> None:
    """Least just below the slowest code that is not repeated."""
    share = spectral_efficiency(SCENARIO_DB) / np.log2(1 + 10 ** (SCENARIO_DB / 10))
    assert share.min() > 0.4
    assert share.mean() > 0.6


@given(SNR_DB)
def test_the_first_transmission_works_more_often_than_not(snr_db: float) -> None:
    assert pick(snr_db).failure(snr_db) <= 0.5


@given(SNR_DB)
def test_the_price_is_that_of_the_scheme_that_the_link_picks(snr_db: float) -> None:
    """The points of the price lie 0.02 dB apart; between two of them the link may change its scheme."""
    below, above = (float(pick(level_db).goodput(level_db)) for level_db in (snr_db - 0.02, snr_db + 0.02))
    assert below * (1 - 1e-12) <= spectral_efficiency(snr_db) <= above * (1 + 1e-12)


def test_two_copies_are_worth_3_db() -> None:
    once, twice = (Scheme(MODULATIONS[0], -3.0, 0.3, repeats) for repeats in (1, 2))
    gain_db = 10 * np.log10(2)
    assert once.failure(-3.0) == pytest.approx(0.5)
    assert twice.failure(-3.0 - gain_db) == pytest.approx(0.5)
    assert once.failure(-3.0 - gain_db, transmissions=2) == pytest.approx(0.5)
    assert twice.bits_per_use == once.bits_per_use / 2


def test_transmissions_are_counted() -> None:
    scheme = Scheme(MODULATIONS[4], 4.0, 0.3)
    assert scheme.expected_transmissions(20.0) == pytest.approx(1.0)
    assert scheme.expected_transmissions(4.0) == pytest.approx(1.5, abs=1e-6)
    assert scheme.expected_transmissions(-40.0) == pytest.approx(4.0)
    assert scheme.goodput(4.0) == pytest.approx(scheme.bits_per_use / 1.5, rel=1e-6)
