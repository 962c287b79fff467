"""Checks of a scenario's parameters, each with a message that says what was given and what is allowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Range = tuple[float, float]


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def as_range(name: str, value: Any) -> Range:
    """A range (low, high) from two numbers, or from one for a constant.

    Raises:
        ValueError: neither, not finite, or upside down.
    """
    ends = (value, value) if isinstance(value, int | float) else tuple(value) if np.iterable(value) else ()
    if len(ends) != 2 or not all(is_finite(end) for end in ends) or not ends[0] <= ends[1]:
        raise ValueError(f"{name} must be a finite number or a range (low, high) with low <= high, got {value!r}")
    return float(ends[0]), float(ends[1])


def check_within(name: str, value: Any, low: float, high: float) -> None:
    """Refuse a number outside [low, high]; an infinite `high` is no bound.

    Raises:
        ValueError: it lies outside, or is no finite number.
    """
    if not (is_finite(value) and low <= value <= high):
        words = f">= {low:g}" if math.isinf(high) else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name} must be a finite number {words}, got {value!r}")


def check_positive(name: str, value: Any) -> None:
    """Refuse what is no finite number above 0.

    Raises:
        ValueError: with what was given.
    """
    if not (is_finite(value) and value > 0.0):
        raise ValueError(f"{name} must be a finite number > 0, got {value!r}")
