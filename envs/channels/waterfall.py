"""The waterfall of a code, measured by sending blocks: how the table of `envs.channels.mcs` is made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import log_ndtr

from envs.channels.block_code import block_code
from envs.channels.mcs import BLOCK_BITS, Modulation
from envs.units import FloatArray, db_to_linear, linear_to_db

CAPACITY_GAP_DB = 1.5
"""Where the search starts above Shannon's limit."""
SEARCH_BLOCKS, BLOCKS = 16, 64
OFFSETS_DB = (-0.3, -0.1, 0.1, 0.3, 0.5, 0.7)


def failed_blocks(
    modulation: Modulation, snr_db: float, blocks: int, generator: torch.Generator, payload_bits: int = BLOCK_BITS
) -> int:
    """How many of a number of random blocks fail over AWGN when each is sent once."""
    code = block_code(payload_bits, modulation)
    n0 = 1.0 / db_to_linear(snr_db)
    sent = torch.randint(0, 2, (blocks, payload_bits), generator=generator).float()
    noise = torch.randn(blocks, code.num_symbols, dtype=torch.complex64, generator=generator)  # of unit power
    received = code.symbols(sent) + math.sqrt(n0) * noise
    decoded, valid = code.decode(code.soft_bits(received, torch.full((blocks,), n0)))
    return int((~valid | (decoded != sent).any(dim=1)).sum())


def fit_waterfall(snr_db: Sequence[float], failed: Sequence[int], blocks: int) -> tuple[float, float]:
    """Most likely (snr_half_db, width_db) of `Q((snr_db - snr_half_db) / width_db)` given counts of failures."""
    levels, lost = np.asarray(snr_db), np.asarray(failed)

    def surprise(parameters: FloatArray) -> float:
        score = (parameters[0] - levels) / np.exp(parameters[1])
        return -float(np.sum(lost * log_ndtr(score) + (blocks - lost) * log_ndtr(-score)))

    best = minimize(surprise, [float(levels.mean()), math.log(0.3)], method="Nelder-Mead").x
    return float(best[0]), math.exp(float(best[1]))


def measure_waterfall(modulation: Modulation, generator: torch.Generator) -> tuple[float, float]:
    """Search the middle of the waterfall, then count failures around it."""
    efficiency = modulation.bits_per_symbol * modulation.rate_1024 / 1024
    low = linear_to_db(2.0**efficiency - 1.0)
    high = low + 2 * CAPACITY_GAP_DB
    while high - low > 0.2:
        middle = (low + high) / 2
        half_fail = 2 * failed_blocks(modulation, middle, SEARCH_BLOCKS, generator) > SEARCH_BLOCKS
        low, high = (middle, high) if half_fail else (low, middle)
    levels = [(low + high) / 2 + offset for offset in OFFSETS_DB]
    failed = [failed_blocks(modulation, level, BLOCKS, generator) for level in levels]
    return fit_waterfall(levels, failed, BLOCKS)
