"""The model-based policy as it could be deployed: it knows the model, and measures the state with errors."""

from __future__ import annotations

import math

import numpy as np

from agents.policies.base import Actions, Observations, Policy
from envs import OBSERVATION_BOUNDS, OBSERVATION_NAMES

SNR_STD_DB = 2.0
RELATIVE_STD = 0.1


class EstimatedState(Policy):
    """Acts as another policy would if the state were what was measured: SNR, capabilities and bandwidth have errors.

    Errors are Gaussian and independent from request to request: `SNR_STD_DB` on the SNR, `RELATIVE_STD` of the value
    on the capability of either device, as much on the logarithm of the bandwidth. Cycles and latency requirement come
    with the request and are exact. What is measured stays within the bounds of the observation. With an oracle inside
    this is certainty equivalence: it trusts the estimate.

    Source: own derivation.

    Args:
        inner: decides for the estimate.
        seed: of the errors.
    """

    def __init__(self, inner: Policy, seed: int = 0) -> None:
        self.inner = inner
        self._rng = np.random.default_rng(seed)

    def estimate(self, observations: Observations) -> Observations:
        """What is measured of observations [N, F]; entries beyond the seven of the request are exact."""
        errors = np.zeros((len(observations), len(OBSERVATION_NAMES)))
        for name, std in _stds(observations).items():
            column = OBSERVATION_NAMES.index(name)
            errors[:, column] = std * self._rng.standard_normal(len(observations))
        estimated = observations.astype(np.float64)
        estimated[:, : len(OBSERVATION_NAMES)] += errors
        return estimated.clip(0.0, 1.0).astype(observations.dtype)

    def actions(self, observations: Observations) -> Actions:
        """Actions of the inner policy for the estimate, int64 [N]."""
        return self.inner.actions(self.estimate(observations))


def _stds(observations: Observations) -> dict[str, float | np.ndarray]:
    """Standard deviations in the scale of the observation, see `envs.observation`."""
    low_db, high_db = OBSERVATION_BOUNDS["snr_db"]
    low_hz, high_hz = OBSERVATION_BOUNDS["bandwidth_hz"]  # scaled logarithmically
    stds: dict[str, float | np.ndarray] = {
        "snr_db": SNR_STD_DB / (high_db - low_db),
        "bandwidth_hz": RELATIVE_STD / math.log(high_hz / low_hz),
    }
    for name in ("edge_capability_hz", "user_capability_hz"):  # scaled linearly from 0
        stds[name] = RELATIVE_STD * observations[:, OBSERVATION_NAMES.index(name)]
    return stds
