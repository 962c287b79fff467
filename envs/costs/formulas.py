"""The formulas behind prices: rates, Amdahl's factor, energy (SemAIGC, eqs. 19 and 20; EUCI, eq. 2)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from envs.channels.mcs import spectral_efficiency
from envs.units import Floats, db_to_linear


def shannon_rate_bps(bandwidth_hz: Floats, snr_db: Floats) -> Floats:
    """Rate of an error-free link in bits per second: `v = B log2(1 + SNR)` (SemAIGC, below eq. 19).

    Args:
        bandwidth_hz: bandwidth B, > 0.
        snr_db: signal-to-noise ratio in decibels.
    """
    return bandwidth_hz * (np.log1p(db_to_linear(snr_db)) / math.log(2.0))


def serial_share(cores: int, parallel_fraction: float) -> float:
    """Amdahl's factor `1 - tau + tau / m`: time on m cores over time on one (SemAIGC, eq. 20).

    Args:
        cores: number of cores m.
        parallel_fraction: share tau of the work that runs on all cores, in [0, 1].
    """
    return 1.0 - parallel_fraction + parallel_fraction / cores


def compute_energy_j(busy_s: Floats, power_w: Floats) -> Floats:
    """Energy in joules that a device takes while a request holds it: seconds times watts.

    A device of which a part is available takes longer and is charged its whole power meanwhile. Radios are
    not counted, as in the paper.

    Deviation: EUCI's eq. 2 counts the text encoder and the VAE in every denoising step,
    `(F_unet + F_te + F_vae) t / C P`. They run once for an image, so here `busy_s` holds them once. The
    energy of a split then lies between those of its two ends, against the paper's claim that it is below both.
    """
    return busy_s * power_w


Rate = Callable[[Floats, Floats], Floats]
"""(bandwidth_hz, snr_db) -> bits per second."""


def coded_rate_bps(bandwidth_hz: Floats, snr_db: Floats) -> Floats:
    """Rate of the coded link over AWGN in bits per second: bandwidth x spectral efficiency.

    The spectral efficiency is that of the scheme which the modulation-and-coding table picks at the SNR, with its
    checksums and expected retransmissions (see `envs.channels.mcs`).

    Args:
        bandwidth_hz: bandwidth B, > 0.
        snr_db: signal-to-noise ratio in decibels.
    """
    return bandwidth_hz * spectral_efficiency(snr_db)


RATES: dict[str, Rate] = {"shannon": shannon_rate_bps, "coded": coded_rate_bps}
