"""What a reward is made of: a delivered request in, named terms out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.units import FloatArray


class Outcome(NamedTuple):
    """How requests ended; arrays broadcast.

    Attributes:
        latency_s: seconds of all attempts together; infinite where the plan was impossible, which counts as the latest
            failure: a reward must stay finite there.
        energy_j: joules of all attempts together; infinite likewise.
        quality: metric -> value of the last attempt's image; those of `Reward.metrics` at least.
        failed: bool, whether no attempt was acceptable or the answer came too late.
        latency_low_s, latency_high_s: the user's latency requirement.
    """

    latency_s: FloatArray
    energy_j: FloatArray
    quality: Mapping[str, FloatArray]
    failed: NDArray[np.bool_]
    latency_low_s: FloatArray
    latency_high_s: FloatArray


class Reward(ABC):
    """A reward as named terms, which are summed once and shown in `info["rewards"]`.

    Attributes:
        names: of the terms, in order.
        metrics: image metrics that the terms depend on, linearly: the mean over images is then the term of the
            mean metric, which makes expected rewards exact.
        low, high: bounds of the reward; of each term, float64 [M], for a vector.
    """

    names: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    is_vector: bool = False

    @property
    @abstractmethod
    def low(self) -> float | FloatArray:
        """Least possible reward."""

    @property
    @abstractmethod
    def high(self) -> float | FloatArray:
        """Largest possible reward."""

    @abstractmethod
    def terms(self, outcome: Outcome) -> dict[str, FloatArray]:
        """The terms by name, float64 of the broadcast shape."""

    def total(self, terms: Mapping[str, FloatArray]) -> FloatArray:
        """The reward: the sum of the terms."""
        return reduce(add, (terms[name] for name in self.names))
