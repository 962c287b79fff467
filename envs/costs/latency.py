"""Latency: Shannon's rate, the time to send, and Amdahl's law (SemAIGC, eqs. 19 and 20)."""

from __future__ import annotations

import math

import numpy as np

from envs.units import Floats, db_to_linear


def shannon_rate_bps(bandwidth_hz: Floats, snr_db: Floats) -> Floats:
    """Rate of an error-free link in bits per second: `v = B log2(1 + SNR)` (SemAIGC, below eq. 19).

    Args:
        bandwidth_hz: bandwidth B, > 0.
        snr_db: signal-to-noise ratio in decibels.
    """
    return bandwidth_hz * (np.log1p(db_to_linear(snr_db)) / math.log(2.0))


def transmission_s(payload_bits: Floats, rate_bps: Floats) -> Floats:
    """Seconds to send a payload: `L1 = O / v` (SemAIGC, eq. 19)."""
    return payload_bits / rate_bps


def amdahl_s(
    density_cycles_per_bit: Floats,
    size_bits: Floats,
    capability_hz: Floats,
    cores: int,
    parallel_fraction: float,
    constant_s: Floats = 0.0,
) -> Floats:
    """Seconds to compute: `L2 = W O / nu (1 - tau + tau / m) + l` (SemAIGC, eq. 20).

    Args:
        density_cycles_per_bit: processing density W, for all steps of the task.
        size_bits: input size O.
        capability_hz: cycles per second nu of each core that are available to the task.
        cores: number of cores m.
        parallel_fraction: share tau of the work that runs on all cores, in [0, 1].
        constant_s: delay l of the other modules.
    """
    return density_cycles_per_bit * size_bits / capability_hz * serial_share(cores, parallel_fraction) + constant_s


def serial_share(cores: int, parallel_fraction: float) -> float:
    """Amdahl's factor `1 - tau + tau / m`: time on m cores over time on one."""
    return 1.0 - parallel_fraction + parallel_fraction / cores
