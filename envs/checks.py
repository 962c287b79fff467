"""Checks of what users give, each with a message that says what was given and what is allowed."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module, invalidate_caches
from importlib.util import find_spec
from inspect import isabstract
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

REPLACED = {
    "quality_metric": "give acceptance=similarity, alignment, or {metric: NAME, least: VALUE}",
    "quality_min": "give acceptance=similarity, alignment, or {metric: NAME, least: VALUE}",
    "rate": "give link=paper (Shannon's rate), or link=digital (what a coded link carries, and nothing noisy arrives)",
}
"""Settings of an environment that there were before -> what says it now."""

Range = tuple[float, float]
Made = TypeVar("Made")


def is_finite(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def integer(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """A plain integer within bounds.

    Raises:
        ValueError: it is not one, or out of bounds.
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
        ValueError: it is not one, or out of bounds.
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


def parse(cls: type[Made], values: Mapping[str, Any], where: str = "configuration", prefix: str = "") -> Made:
    """Make a dataclass of a configuration, each value checked by the annotation of its field.

    Args:
        cls: with annotations such as `Count`, `Natural`, `Points`, `float`, `bool`, `str`, lists of them, another such
            dataclass, and `None` beside any; what else is annotated is left to the class.
        values: plain values by key.
        where: what the keys are of, in messages; `prefix` stands before their names there.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    hints = get_type_hints(cls, include_extras=True)
    checked = {str(key): _parsed(f"{prefix}{key}", value, hints.get(str(key), Any)) for key, value in values.items()}
    return make(cls, checked, where)


def points(name: str, values: Any) -> Any:
    """Two or more increasing numbers.

    Raises:
        ValueError: anything else.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 1 or len(array) < 2 or not np.isfinite(array).all() or not (np.diff(array) > 0).all():
        raise ValueError(f"{name} must be a list of two or more increasing numbers, got {values!r}")
    return values


def text(name: str, value: Any) -> str:
    """Some text.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {value!r}")
    return value


Count = Annotated[int, lambda name, value: integer(name, value, 1)]
"""An integer >= 1."""
Natural = Annotated[int, lambda name, value: integer(name, value, 0)]
"""An integer >= 0."""
Span = Annotated[Range, interval]
"""A range (low, high)."""
Points = Annotated[Sequence[float], points]
"""Increasing values along an axis."""
_BY_TYPE: dict[Any, Callable[[str, Any], Any]] = {int: integer, float: number, bool: flag, str: text}


def _parsed(name: str, value: Any, hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        return hint.__metadata__[0](name, value)
    if get_origin(hint) in (Union, UnionType):
        others = [each for each in get_args(hint) if each is not NoneType]
        if value is None and len(others) < len(get_args(hint)):
            return None
        return _parsed(name, value, others[0]) if len(others) == 1 else value
    if get_origin(hint) is list:
        if not isinstance(value, list) or not value:
            raise ValueError(f"{name} must be a list that is not empty, got {value!r}")
        return [_parsed(f"{name}[{index}]", each, get_args(hint)[0]) for index, each in enumerate(value)]
    if is_dataclass(hint) and not isinstance(value, hint):  # type: ignore[arg-type]
        if not isinstance(value, Mapping):
            raise ValueError(f"{name} must hold keys and values, got {value!r}")
        return parse(hint, value, name, f"{name}.")  # type: ignore[arg-type]
    return _BY_TYPE[hint](name, value) if hint in _BY_TYPE else value


def named(where: str, given: str | Mapping[str, Any], default: str = "") -> tuple[str, dict[str, Any]]:
    """A name and its parameters, from a name alone or from a mapping that holds both.

    Raises:
        ValueError: neither.
    """
    if isinstance(given, str):
        return given, {}
    if not isinstance(given, Mapping) or not given.get("name", default):
        raise ValueError(f"{where} must be a name, or a mapping of name and parameters, got {given!r}")
    return str(given.get("name", default)), {str(key): value for key, value in given.items() if key != "name"}


def import_object(spec: str) -> Any:
    """What a user's own code holds: `package.module:Name`, or `FILE.py:Name` from the working directory.

    The folder of the file, or the working directory, goes to the end of `sys.path`: what is beside it can be imported
    too, processes that are started later find it, and nothing that is installed is hidden.

    Raises:
        ValueError: no such spelling, file, module or name, or a file whose name another module has. What the code
            itself raises is handed on.
    """
    place, _, name = spec.rpartition(":")
    file = Path(place) if place.endswith(".py") else None
    if not place or not name.isidentifier():
        raise ValueError(f"{spec!r} must be written package.module:Name, or FILE.py:Name")
    if file is not None and not file.is_file():
        raise ValueError(f"{spec!r}: there is no file {str(file.absolute())!r}")
    folder, module = (Path.cwd(), place) if file is None else (file.absolute().parent, file.stem)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    invalidate_caches()
    try:
        found = find_spec(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # missed by the user's code, not by us
            raise
        found = None
    if found is None:
        raise ValueError(f"{spec!r}: there is no module {module!r}")
    if file is not None and (found.origin is None or Path(found.origin).resolve() != file.resolve()):
        raise ValueError(f"{spec!r}: another module is called {module!r} ({found.origin}); rename the file")
    held = import_module(module)
    if not hasattr(held, name):
        public = ", ".join(sorted(each for each in vars(held) if not each.startswith("_")))
        raise ValueError(f"{spec!r}: there is no {name!r} in it; it holds {public or 'nothing'}")
    return getattr(held, name)


def import_class(where: str, spec: str, base: type) -> Any:
    """A user's own class of a kind, see `import_object`.

    Raises:
        ValueError: as there, or something else than a complete class of this kind.
    """
    found = import_object(spec)
    if not (isinstance(found, type) and issubclass(found, base)) or isabstract(found):
        raise ValueError(f"{where} {spec!r} must be a class of the kind {base.__name__}, got {found!r}")
    return found


def _integers(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f" in {least}..{most}"
    return f" >= {least}" if least is not None else f" <= {most}" if most is not None else ""
