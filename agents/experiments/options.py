"""Sizes of an experiment, read from `configs/experiment/NAME.yaml` and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from agents.runs.settings import check_keys

Chosen = TypeVar("Chosen")


def read_options(cls: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """Make the options of an experiment from the group `experiment`.

    Args:
        cls: a dataclass; its fields annotated `int` must be >= 1.
        given: plain values by key.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    check_keys("experiment", given, names)
    for field in fields(cls):  # type: ignore[arg-type]
        value = given[field.name]
        if field.type == "int" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"experiment.{field.name} must be an integer >= 1, got {value!r}")
        if field.type == "Points":
            check_points(f"experiment.{field.name}", value)
    return cls(**{name: given[name] for name in names})


Points = Sequence[float]
"""Increasing values along an axis."""


def check_points(name: str, values: Any) -> None:
    """Refuse what is no list of two or more increasing numbers.

    Raises:
        ValueError: with what was given.
    """
    try:
        points = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 1 or len(points) < 2 or not np.isfinite(points).all() or not (np.diff(points) > 0).all():
        raise ValueError(f"{name} must be a list of two or more increasing numbers, got {values!r}")
