"""SemAIGC's eqs. 19 and 20, as the paper writes them: what the table of prices is checked against."""

from __future__ import annotations


def transmission_s(payload_bits: float, rate_bps: float) -> float:
    """`L1 = O / v`: seconds to send a payload."""
    return payload_bits / rate_bps


def amdahl_s(
    density_cycles_per_bit: float, size_bits: float, capability_hz: float, cores: int, parallel_fraction: float
) -> float:
    """`L2 = W O / nu (1 - tau + tau / m)`: seconds to compute, without the constant l of the other modules."""
    serial = 1 - parallel_fraction + parallel_fraction / cores
    return density_cycles_per_bit * size_bits / capability_hz * serial
