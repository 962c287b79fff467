"""The observation: seven quantities of the next request and its link, each scaled to [0, 1] by fixed bounds.

| index | name | bounds | scale | meaning |
|---|---|---|---|---|
| 0 | `tx_density` | 0 .. 1,000,000 cycles/bit | linear | W_i: cycles per bit of one denoising step, transmitter |
| 1 | `rx_density` | 0 .. 1,000,000 cycles/bit | linear | W_j: the same at the receiver |
| 2 | `snr_db` | -20 .. 20 dB | linear | signal-to-noise ratio of the link |
| 3 | `tx_capability_hz` | 0 .. 3 GHz | linear | nu_i: clock x availability of the transmitter |
| 4 | `rx_capability_hz` | 0 .. 3 GHz | linear | nu_j: clock x availability of the receiver |
| 5 | `bandwidth_hz` | 0.1 .. 100 MHz | logarithmic | bandwidth of the link |
| 6 | `latency_low_s` | 0 .. 20 s | linear | latency below which the user is fully satisfied |

The bounds do not depend on the scenario, so that an agent trained on one scenario reads another rightly.

Source: SemAIGC, IV-B (the state of the MDP, its seven inputs of the network).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

OBSERVATION_BOUNDS: dict[str, tuple[float, float]] = {
    "tx_density": (0.0, 1e6),
    "rx_density": (0.0, 1e6),
    "snr_db": (-20.0, 20.0),
    "tx_capability_hz": (0.0, 3e9),
    "rx_capability_hz": (0.0, 3e9),
    "bandwidth_hz": (1e5, 1e8),
    "latency_low_s": (0.0, 20.0),
}
"""Physical values that are scaled to 0 and to 1."""

OBSERVATION_NAMES = tuple(OBSERVATION_BOUNDS)
"""Names of the observation's entries, in order."""

_LOG = OBSERVATION_NAMES.index("bandwidth_hz")
_LOW, _HIGH = (np.array(ends) for ends in zip(*OBSERVATION_BOUNDS.values(), strict=True))
_LOW[_LOG], _HIGH[_LOG] = np.log(_LOW[_LOG]), np.log(_HIGH[_LOG])
_LOW, _SPAN = _LOW[:, None], (_HIGH - _LOW)[:, None]


def state_to_observation(values: Iterable[ArrayLike], num_envs: int) -> NDArray[np.float32]:
    """Scale physical values to the observation.

    Args:
        values: seven arrays [N] (or scalars) in the order of `OBSERVATION_NAMES`, within `OBSERVATION_BOUNDS`.
        num_envs: N.

    Returns:
        float32 [N, 7] in [0, 1], a new array.
    """
    rows = np.empty((len(OBSERVATION_NAMES), num_envs))
    for row, value in zip(rows, values, strict=True):
        row[:] = value
    np.log(rows[_LOG], out=rows[_LOG])
    rows -= _LOW
    rows /= _SPAN
    return np.ascontiguousarray(rows.T, dtype=np.float32)


def observation_to_state(obs: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Physical values of observations: the inverse of the scaling, exact but for the rounding to float32.

    Args:
        obs: float [..., 7] in [0, 1].

    Returns:
        name -> float64 array [...], names of `OBSERVATION_NAMES`.

    Raises:
        ValueError: the last axis does not hold seven values.
    """
    scaled = np.asarray(obs, dtype=np.float64)
    if scaled.ndim == 0 or scaled.shape[-1] != len(OBSERVATION_NAMES):
        raise ValueError(f"an observation has shape [..., {len(OBSERVATION_NAMES)}], got {list(scaled.shape)}")
    values = scaled * _SPAN[:, 0] + _LOW[:, 0]
    values[..., _LOG] = np.exp(values[..., _LOG])
    return {name: values[..., index] for index, name in enumerate(OBSERVATION_NAMES)}


def check_observable(name: str, low: float, high: float) -> None:
    """Refuse a quantity whose range leaves the bounds of the observation.

    Raises:
        ValueError: `low` .. `high` lies not within `OBSERVATION_BOUNDS[name]`.
    """
    allowed_low, allowed_high = OBSERVATION_BOUNDS[name]
    if not (allowed_low <= low and high <= allowed_high):
        raise ValueError(
            f"{name} must lie in [{allowed_low:g}, {allowed_high:g}] to be observable, got [{low:g}, {high:g}]"
        )
