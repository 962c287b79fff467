"""The modulation-and-coding table: which scheme the coded link picks at an SNR, and what it then carries.

Numpy alone, so that prices need no link-level library. The waterfall of each code is measured with it
(`python -m envs measure_mcs` writes mcs.csv) and kept as two numbers: a block fails with probability
`Q((snr_db - snr_half_db) / width_db)`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from envs.units import FloatArray, linear_to_db

TABLE = Path(__file__).parent / "mcs.csv"
BLOCK_BITS = 1024
"""Most payload bits of a code block; the table holds for blocks of this size."""
CRC_BITS = 24
MAX_TRANSMISSIONS = 4
MOST_FAILURES = 0.5
"""A scheme is picked only where fewer blocks fail at the first transmission: above the middle of its waterfall."""
REPEATS = (1, *sorted(factor * 2**power for factor in (2, 3) for power in range(9)))
"""Copies of each block, combined before decoding, that the slowest code is sent with: down to about -32 dB."""
GRID_DB = np.arange(-40.0, 40.0, 0.02)


@dataclass(frozen=True)
class Modulation:
    """A constellation and a code.

    Attributes:
        bits_per_symbol: 2, 4 or 6 for QAM of 4, 16 or 64 points.
        rate_1024: code rate in 1024ths, as 3GPP TS 38.214 writes it.
    """

    bits_per_symbol: int
    rate_1024: int

    def coded_bits(self, payload_bits: int) -> int:
        """Coded bits of a block with its checksum, a whole number of symbols."""
        bits = self.bits_per_symbol
        return bits * -(-(payload_bits + CRC_BITS) * 1024 // (self.rate_1024 * bits))


MODULATIONS = tuple(
    Modulation(bits, rate)
    for bits, rates in (
        (2, (251, 308, 449, 602)),
        (4, (378, 490, 616)),
        (6, (466, 567, 666, 873)),
    )
    for rate in rates
)
"""A selection of TS 38.214, table 5.1.3.1-1, from its lowest rate that the code has unrepeated (above 1/5) on."""


@dataclass(frozen=True)
class Scheme:
    """A row of the table.

    Attributes:
        modulation: constellation and code.
        snr_half_db: SNR at which half of the blocks fail when each is sent once.
        width_db: width of the waterfall.
        repeats: copies of each block that are sent and combined at first, and again when it fails.
    """

    modulation: Modulation
    snr_half_db: float
    width_db: float
    repeats: int = 1

    @property
    def bits_per_use(self) -> float:
        """Payload bits per complex symbol when no block fails."""
        symbols = self.modulation.coded_bits(BLOCK_BITS) // self.modulation.bits_per_symbol
        return BLOCK_BITS / (symbols * self.repeats)

    @property
    def row(self) -> dict[str, str]:
        """As a row of the file."""
        own = {"bits_per_symbol": str(self.modulation.bits_per_symbol), "rate_1024": str(self.modulation.rate_1024)}
        return own | {"snr_half_db": f"{self.snr_half_db:.3f}", "width_db": f"{self.width_db:.3f}"}

    def failure(self, snr_db: ArrayLike, transmissions: int = 1) -> FloatArray:
        """Chance that a block fails after a number of combined transmissions over AWGN, float64 of the SNRs' shape.

        n copies of a symbol combined are one copy at n times the SNR.
        """
        gain_db = linear_to_db(float(self.repeats * transmissions))
        return np.asarray(ndtr((self.snr_half_db - gain_db - np.asarray(snr_db, dtype=np.float64)) / self.width_db))

    def expected_transmissions(self, snr_db: ArrayLike) -> FloatArray:
        """Mean number of transmissions of a block, 1..MAX_TRANSMISSIONS: it is sent again after each failure.

        Approximation: who fails after j transmissions has failed after fewer.
        """
        failures = [self.failure(snr_db, count) for count in range(1, MAX_TRANSMISSIONS)]
        return np.asarray(1.0 + np.sum(failures, axis=0))

    def goodput(self, snr_db: ArrayLike) -> FloatArray:
        """Payload bits that arrive per complex symbol, with retransmissions; non-decreasing in the SNR."""
        arrived = 1.0 - self.failure(snr_db, MAX_TRANSMISSIONS)
        return self.bits_per_use * arrived / self.expected_transmissions(snr_db)


def measured_schemes(table: Path = TABLE) -> list[Scheme]:
    """The rows of mcs.csv, or of another such file: every code sent once."""
    with table.open(newline="") as file:
        return [
            Scheme(
                Modulation(int(row["bits_per_symbol"]), int(row["rate_1024"])),
                float(row["snr_half_db"]),
                float(row["width_db"]),
            )
            for row in csv.DictReader(file)
        ]


@cache
def schemes() -> tuple[Scheme, ...]:
    """All rows: the measured codes, and the first of them repeated."""
    rows = measured_schemes()
    return (*(replace(rows[0], repeats=repeats) for repeats in reversed(REPEATS[1:])), *rows)


def pick(snr_db: float) -> Scheme:
    """The scheme with the largest goodput at an SNR, of those that fail rarely enough; the slowest if none does."""
    return schemes()[int(_usable_goodputs(snr_db).argmax(axis=0))]


def spectral_efficiency(snr_db: ArrayLike) -> FloatArray:
    """Goodput of the scheme that the table picks, in payload bits per second and hertz.

    Linear between points 0.02 dB apart, constant outside -40..40 dB; non-decreasing.
    Deviation: no pilots, cyclic prefixes, guard bands or control channels are counted; they take another 15 to 25 %.

    Args:
        snr_db: any shape.
    """
    return np.asarray(np.interp(np.asarray(snr_db, dtype=np.float64), GRID_DB, _best()))


@cache
def _best() -> FloatArray:
    return np.asarray(_usable_goodputs(GRID_DB).max(axis=0))


def _usable_goodputs(snr_db: ArrayLike) -> FloatArray:
    """Goodput of every scheme [S, ...], 0 where it fails too often; the slowest may be used anywhere."""
    slowest, *others = schemes()
    usable = [np.where(each.failure(snr_db) <= MOST_FAILURES, each.goodput(snr_db), 0.0) for each in others]
    return np.stack([slowest.goodput(snr_db), *usable])
