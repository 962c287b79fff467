"""The rate at which payloads are priced: Shannon's, or what a coded link really carries."""

from __future__ import annotations

from collections.abc import Callable

from envs.channels.mcs import spectral_efficiency
from envs.costs.latency import shannon_rate_bps
from envs.units import Floats

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


def rate_named(name: str) -> Rate:
    """Look a rate up.

    Raises:
        ValueError: an unknown name.
    """
    if name not in RATES:
        raise ValueError(f"unknown rate {name!r}; allowed: {', '.join(RATES)}")
    return RATES[name]
