"""From normal to uniform variables, few of them or many at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from envs.units import Floats

FEW = 4096
"""Up to so many values scipy's loop is the faster one; above, torch's vectorised one, worth its import."""
SLICE = 2**15 - 1
"""Values at a time: of more, torch would make several threads."""


def normal_to_uniform(z: NDArray[np.float64], low: Floats = 0.0, span: Floats = 1.0) -> NDArray[np.float64]:
    """Map standard normal variables to uniform ones on [low, low + span]: `low + span Phi(z)`, elementwise.

    Phi is the standard normal distribution function; of few values and of many it differs by 2 ** -52 at most.

    Args:
        z: finite, of any shape.
        low, span: broadcast to z.
    """
    if z.size <= FEW:
        value = ndtr(z)
        value *= span
        value += low
        return np.asarray(value)
    import torch

    value = z * math.sqrt(0.5)
    for part in torch.from_numpy(value).reshape(-1).split(SLICE):
        part.erf_()
    half = 0.5 * span
    value *= half
    value += low + half
    return value
