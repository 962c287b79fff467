"""Sizes of an experiment, read from `configs/experiment/NAME.yaml` and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from agents.runs.settings import check_keys

Chosen = TypeVar("Chosen")


def read_options(cls: type[Chosen], given: Mapping[str, Any]) -> Chosen:
    """Make the options of an experiment from the group `experiment`.

    Args:
        cls: a dataclass; its fields annotated `int` must be >= 1, `Points` increase, lists hold at least one entry.
        given: plain values by key.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    check_keys("experiment", given, names)
    for field in fields(cls):  # type: ignore[arg-type]
        value = given[field.name]
        name = f"experiment.{field.name}"
        if field.type == "Points":
            check_points(name, value)
        elif field.type in _ALLOWED:
            is_allowed, words = _ALLOWED[str(field.type)]
            if not is_allowed(value):
                raise ValueError(f"{name} must be {words}, got {value!r}")
    return cls(**{name: given[name] for name in names})


Points = Sequence[float]
"""Increasing values along an axis."""


@dataclass(frozen=True)
class ComparedOptions:
    """What the experiments that train ROOT have in common.

    Attributes:
        receivers: compared, those of them that the profile holds.
        root: how ROOT is trained for a receiver without one.
    """

    receivers: list[str]
    root: Mapping[str, Any]


@dataclass(frozen=True)
class StateOptions(ComparedOptions):
    """Sizes of an experiment over sampled states.

    Attributes:
        snr_db, edge_availability: points along the two axes; what is not fixed there is drawn as in the scenario.
        num_states: states at each point.
    """

    snr_db: Points
    edge_availability: Points
    num_states: int


@dataclass(frozen=True)
class ImageOptions(ComparedOptions):
    """Sizes of an experiment that shows delivered images.

    Attributes:
        num_requests: of the profile; quality is a mean over them.
        shown: requests that are shown.
        edge_availability: PACR at which ROOT decides.
    """

    num_requests: int
    shown: int
    edge_availability: float


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(kind(entry) for entry in value)


_ALLOWED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (lambda value: _is_integer(value) and value >= 1, "an integer >= 1"),
    "float": (lambda value: isinstance(value, int | float) and np.isfinite(value), "a finite number"),
    "list[int]": (_is_list_of(_is_integer), "a list of integers"),
    "list[str]": (_is_list_of(lambda value: isinstance(value, str)), "a list of names"),
}


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
