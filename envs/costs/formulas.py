"""The formulas behind prices: rates, Amdahl's factor, energy (SemAIGC, eqs. 19 and 20; EUCI, eq. 2)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from envs.channels.mcs import spectral_efficiency
from envs.units import Floats, db_to_linear, linear_to_db


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


@dataclass(frozen=True)
class Link:
    """What sending does and costs. Whatever has a codec, and images and weights, are bits under every link.

    Attributes:
        rate_bps: of bits.
        sends_symbols: whether latents without a codec cross as analogue symbols, whose time is their number over the
            bandwidth, instead of bits.
        is_noisy: whether such latents meet the channel's noise.
    """

    rate_bps: Rate
    sends_symbols: bool = False
    is_noisy: bool = True


LINKS: dict[str, Link] = {
    "paper": Link(shannon_rate_bps),
    "analog": Link(coded_rate_bps, sends_symbols=True),
    "digital": Link(coded_rate_bps, is_noisy=False),
}
"""`paper`: noise on a latent and its price in bits at Shannon's rate, as all four papers have it, though one excludes
the other. `analog` and `digital` do not contradict themselves: symbols that meet noise, or bits that a coded link
carries with retransmissions, in which nothing noisy arrives."""


def channel_uses(bits: Floats, snr_db: Floats, rate_bps: Rate = coded_rate_bps) -> Floats:
    """Complex symbols that bits take at a rate, on average: bits over bits per symbol."""
    return bits / rate_bps(1.0, snr_db)


def analog_channel_uses(elements: Floats) -> Floats:
    """Complex symbols that the elements of a latent take: a pair of them is one."""
    return elements / 2


def sending_energy(uses: Floats, snr_db: Floats) -> Floats:
    """Energy that symbols arrive with, in noise powers N0 of one symbol: uses x SNR."""
    return uses * db_to_linear(snr_db)


def equal_energy_snr_db(uses: Floats, other_uses: Floats, other_snr_db: Floats) -> Floats:
    """SNR at which symbols have together the energy of other ones: fewer of them are stronger each."""
    return other_snr_db + linear_to_db(other_uses / uses)
