"""The observation: seven quantities of the next request and its link, each scaled to [0, 1] by fixed bounds.

| index | name | bounds | scale | meaning |
|---|---|---|---|---|
| 0 | `edge_density` | 0 .. 1,000,000 cycles/bit | linear | W_i: cycles per bit of one denoising step, at the edge |
| 1 | `user_density` | 0 .. 1,000,000 cycles/bit | linear | W_j: the same at the user |
| 2 | `snr_db` | -20 .. 20 dB | linear | signal-to-noise ratio of the link |
| 3 | `edge_capability_hz` | 0 .. 3 GHz | linear | nu_i: clock x availability of the edge |
| 4 | `user_capability_hz` | 0 .. 3 GHz | linear | nu_j: clock x availability of the user |
| 5 | `bandwidth_hz` | 0.1 .. 100 MHz | logarithmic | bandwidth of the link |
| 6 | `latency_low_s` | 0 .. 20 s | linear | latency below which the user is fully satisfied |

These seven and their bounds do not depend on the scenario, so that an agent trained on one reads another rightly: a
scenario whose SNR or bandwidth could leave the bounds clips them before anything is priced. A scenario may show more
behind them, by name and with bounds of its own, linear: `backlog_s` of `queue`, `battery_j` of `battery`, `cached` (0
or 1) of `cache`.

With `observation_window` W > 1 all entries are means of the last W observations of the session, of as many as there
are at its start; the mean is of scaled values, so that the bandwidth's is geometric.

Source: SemAIGC, IV-B (the state of the MDP, its seven inputs of the network, averages there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.units import FloatArray

OBSERVATION_BOUNDS: dict[str, tuple[float, float]] = {
    "edge_density": (0.0, 1e6),
    "user_density": (0.0, 1e6),
    "snr_db": (-20.0, 20.0),
    "edge_capability_hz": (0.0, 3e9),
    "user_capability_hz": (0.0, 3e9),
    "bandwidth_hz": (1e5, 1e8),
    "latency_low_s": (0.0, 20.0),
}
"""Physical values that are scaled to 0 and to 1."""

OBSERVATION_NAMES = tuple(OBSERVATION_BOUNDS)
"""Names of the observation's first entries, in order."""

_LOG = OBSERVATION_NAMES.index("bandwidth_hz")


class ObservationScale:
    """The scaling of the seven quantities, and of what a scenario shows besides.

    Args:
        features: name -> physical values that are scaled to 0 and to 1, of k further entries.

    Attributes:
        bounds: the same of all 7 + k entries, in order.
        names: their names.
    """

    def __init__(self, features: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.bounds = OBSERVATION_BOUNDS | dict(features or {})
        self.names = tuple(self.bounds)
        low, high = (np.array(ends) for ends in zip(*self.bounds.values(), strict=True))
        low[_LOG], high[_LOG] = np.log(low[_LOG]), np.log(high[_LOG])
        self._low, self._span = low[:, None], (high - low)[:, None]

    def to_observation(self, values: Sequence[FloatArray]) -> NDArray[np.float32]:
        """Scale physical values to the observation.

        Args:
            values: 7 + k arrays [N] in the order of `names`, within `bounds`.

        Returns:
            float32 [N, 7 + k] in [0, 1], a new array.
        """
        rows = np.concatenate(values).reshape(len(self.names), -1)
        np.log(rows[_LOG], out=rows[_LOG])
        rows -= self._low
        obs = np.empty(rows.shape[::-1], dtype=np.float32)
        np.divide(rows, self._span, out=obs.T, casting="same_kind")
        return obs

    def to_state(self, obs: ArrayLike) -> dict[str, FloatArray]:
        """Physical values of observations: the inverse of the scaling, exact but for the rounding to float32.

        Args:
            obs: float [..., 7 + k or more] in [0, 1]; entries behind those of `names` are not read.

        Returns:
            name -> float64 array [...], names of `names`.

        Raises:
            ValueError: the last axis does not hold as many values.
        """
        scaled = np.asarray(obs, dtype=np.float64)
        count = len(self.names)
        if scaled.ndim == 0 or scaled.shape[-1] < count:
            raise ValueError(f"an observation has shape [..., {count}], got {list(scaled.shape)}")
        values = scaled[..., :count] * self._span[:, 0] + self._low[:, 0]
        values[..., _LOG] = np.exp(values[..., _LOG])
        return {name: values[..., index] for index, name in enumerate(self.names)}


_SEVEN = ObservationScale()


def observation_to_state(obs: ArrayLike) -> dict[str, FloatArray]:
    """Physical values of the seven quantities in observations of any scenario, see `ObservationScale.to_state`."""
    return _SEVEN.to_state(obs)


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


Observations = NDArray[np.float32]


class ObservationWindow:
    """Mean of the last W observations of a session, of as many as there are at its start.

    Args:
        length: W >= 1; 1 shows the observations as they are.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._last: Observations = np.empty((0, 0, 0), dtype=np.float32)

    def reset(self, obs: Observations) -> Observations:
        """Start a session with its first observations, float32 [N, F]."""
        self._last = self._last[:0].reshape(0, *obs.shape)
        return self.append(obs)

    def append(self, obs: Observations) -> Observations:
        """Add the next observations; the means, float32 [N, F]."""
        if self.length == 1:
            return obs
        self._last = np.concatenate([self._last, obs[None]])[-self.length :]
        return self._last.mean(axis=0, dtype=np.float64).astype(np.float32)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """What the window remembers, as plain arrays: what `set_state` takes."""
        return {"observations": self._last.copy()}

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go back to where `get_state` was called."""
        self._last = np.array(arrays["observations"])
