"""Conversions between units: the only home of decibels.

Every function takes a float or an array and returns the same kind, in float64.
"""

from __future__ import annotations

import math
from typing import overload

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Floats = float | FloatArray

NEPER_PER_DB = math.log(10.0) / 10.0


@overload
def db_to_linear(db: float) -> float: ...
@overload
def db_to_linear(db: FloatArray) -> FloatArray: ...
def db_to_linear(db: Floats) -> Floats:
    """Power ratio of a level in decibels: `10 ** (db / 10)`."""
    if isinstance(db, np.ndarray):
        return np.exp(db * NEPER_PER_DB)  # several times faster than a power, equal to the last bits
    return float(10.0 ** (db / 10.0))


@overload
def linear_to_db(linear: float) -> float: ...
@overload
def linear_to_db(linear: FloatArray) -> FloatArray: ...
def linear_to_db(linear: Floats) -> Floats:
    """Level in decibels of a power ratio; a ratio of zero is minus infinity.

    Raises:
        ValueError: a ratio is negative or NaN.
    """
    values = np.asarray(linear, dtype=np.float64)
    if not np.all(values >= 0.0):
        raise ValueError(f"a power ratio must be >= 0, got {linear}")
    with np.errstate(divide="ignore"):
        levels = 10.0 * np.log10(values)
    return levels if isinstance(linear, np.ndarray) else float(levels)
