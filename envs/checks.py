"""Checks of what users give, each with a message that says what was given and what is allowed."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

import numpy as np

Range = tuple[float, float]
Made = TypeVar("Made")


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def integer(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """A plain integer within bounds.

    Raises:
        ValueError: it is none, or out of them.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer{_integers(least, most)}, got {value!r}") from None
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{name} must be an integer{_integers(least, most)}, got {number}")
    return number


def number(
    name: str, value: Any, least: float = -math.inf, most: float = math.inf, *, above: float = -math.inf
) -> float:
    """A finite number in [least, most] and > above, as it was given.

    Raises:
        ValueError: it is none, or out of them.
    """
    if is_finite(value) and least <= value <= most and value > above:
        return value  # type: ignore[no-any-return]
    low = f"({above:g}" if above > -math.inf else f"[{least:g}"
    words = f" in {low}, {most:g}]" if most < math.inf and max(least, above) > -math.inf else ""
    words = words or (f" <= {most:g}" if most < math.inf else "")
    words = words or (f" > {above:g}" if above > -math.inf else f" >= {least:g}" if least > -math.inf else "")
    raise ValueError(f"{name} must be a finite number{words}, got {value!r}")


def flag(name: str, value: Any) -> bool:
    """True or false.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, got {value!r}")
    return value


def choice(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """One of some values.

    Raises:
        ValueError: another one.
    """
    try:
        known = value in allowed
    except TypeError:  # not hashable
        known = False
    if not known:
        raise ValueError(f"unknown {name} {value!r}; allowed: {', '.join(map(str, allowed))}")
    return value


def interval(name: str, value: Any) -> Range:
    """A range (low, high) from two numbers, or from one for a constant.

    Raises:
        ValueError: neither, not finite, or upside down.
    """
    ends = (value, value) if isinstance(value, int | float) else tuple(value) if np.iterable(value) else ()
    if len(ends) != 2 or not all(is_finite(end) for end in ends) or not ends[0] <= ends[1]:
        raise ValueError(f"{name} must be a finite number or a range (low, high) with low <= high, got {value!r}")
    return float(ends[0]), float(ends[1])


def keys(where: str, given: Iterable[Any], allowed: Iterable[str], optional: Collection[str] = ()) -> None:
    """Refuse unknown keys, and missing ones but the optional.

    Raises:
        ValueError: with what was given and what is allowed.
    """
    names, expected = [str(key) for key in given], list(allowed)
    if unknown := [name for name in names if name not in expected]:
        raise ValueError(f"unknown keys in {where}: {', '.join(unknown)}; allowed: {', '.join(expected) or 'none'}")
    if missing := [name for name in expected if name not in names and name not in optional]:
        raise ValueError(f"missing keys in {where}: {', '.join(missing)}")


def make(cls: type[Made], values: Mapping[str, Any], where: str) -> Made:
    """Make a dataclass of plain values by key; fields with a default may be left out.

    Raises:
        ValueError: unknown or missing keys, or a value that the class refuses.
    """
    known = [field for field in fields(cls) if field.init]  # type: ignore[arg-type]
    optional = [field.name for field in known if field.default is not MISSING or field.default_factory is not MISSING]
    keys(where, values, [field.name for field in known], optional)
    return cls(**{str(key): value for key, value in values.items()})


def named(where: str, given: str | Mapping[str, Any], default: str = "") -> tuple[str, dict[str, Any]]:
    """A name and its parameters, from a name alone or from a mapping that holds both.

    Raises:
        ValueError: neither.
    """
    if isinstance(given, str):
        return given, {}
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} must be a name, or a mapping of name and parameters, got {given!r}")
    return str(given.get("name", default)), {str(key): value for key, value in given.items() if key != "name"}


def _integers(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f" in {least}..{most}"
    return f" >= {least}" if least is not None else f" <= {most}" if most is not None else ""
