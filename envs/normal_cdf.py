"""The standard normal distribution function of many values at once, bit for bit that of `scipy.special.ndtr`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

# erf(x) = x P(x^2) / Q(x^2) for |x| <= 1, from the Cephes library (S. Moshier), `ndtr.c`.
_P = (9.60497373987051638749, 90.0260197203842689217, 2232.00534594684319226, 7003.32514112805075473,
      55592.3013010394962768)  # fmt: skip
_Q = (33.5617141647503099647, 521.357949780152679795, 4594.32382970980127987, 22629.0000613890934246,
      49267.3942608635921086)  # fmt: skip
_HALF_P = tuple(0.5 * coefficient for coefficient in _P)  # halving rounds nothing
FEW = 4096
"""Up to so many values the library's loop is the faster one."""


def normal_cdf(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance that a standard normal variable is below z, elementwise.

    scipy walks over the values one by one and its branches are guessed wrongly for random ones. Five in six of them
    have |z| < sqrt(2), where it evaluates a ratio of polynomials: done here for all at once, in the same order of
    operations; the others are left to scipy. (Where a compiler of scipy fused multiplications with additions, the
    last bit may differ between few and many values.)

    Args:
        z: finite, of any shape, contiguous.
    """
    if z.size <= FEW:
        return np.asarray(ndtr(z))
    x = z * math.sqrt(0.5)
    square = x * x
    value = square * _HALF_P[0]
    value += _HALF_P[1]
    for coefficient in _HALF_P[2:]:
        value *= square
        value += coefficient
    divisor = square + _Q[0]  # the leading coefficient is 1
    for coefficient in _Q[1:]:
        divisor *= square
        divisor += coefficient
    value *= x
    value /= divisor
    value += 0.5
    tail = np.flatnonzero(square >= 1.0)
    value.reshape(-1)[tail] = ndtr(z.reshape(-1).take(tail))
    return value
