"""Codes measured by sending blocks; skipped where Sionna is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from envs.channels.mcs import MODULATIONS, Modulation, schemes
from envs.channels.waterfall import failed_blocks

needs_sionna = pytest.mark.skipif(find_spec("sionna") is None, reason="the extra phy is not installed")


@needs_sionna
@pytest.mark.slow
@pytest.mark.parametrize(("bits_per_symbol", "eb_over_n0_db"), [(4, 3.5), (6, 6.0)])
def test_block_error_rate_of_the_half_rate_code(bits_per_symbol: int, eb_over_n0_db: float) -> None:
    """k = 1,024, rate 1/2, 20 iterations: between 0.03 and 0.2, and below 0.01 half a decibel higher."""
    half, generator = Modulation(bits_per_symbol, 512), torch.Generator().manual_seed(0)
    snr_db = eb_over_n0_db + 10 * np.log10(bits_per_symbol / 2)
    assert 0.03 < failed_blocks(half, snr_db, 200, generator, payload_bits=1000) / 200 < 0.2
    assert failed_blocks(half, snr_db + 0.5, 300, generator, payload_bits=1000) / 300 < 0.01


@needs_sionna
@pytest.mark.parametrize("row", [4, -1])
def test_the_table_holds_what_is_measured_again(row: int) -> None:
    """64 blocks have a standard error of 0.06 where half of them fail, and fewer than one fails a decibel higher."""
    scheme = next(scheme for scheme in schemes() if scheme.modulation == MODULATIONS[row] and scheme.repeats == 1)
    generator = torch.Generator().manual_seed(5)
    assert 0.3 < failed_blocks(scheme.modulation, scheme.snr_half_db, 64, generator) / 64 < 0.7
    assert failed_blocks(scheme.modulation, scheme.snr_half_db + 1.0, 32, generator) <= 1
