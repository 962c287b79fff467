"""A dictionary whose values are read only when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


class Readings(dict[str, Any]):
    """Values by name that are read only when someone looks: most steps of a training never do.

    Args:
        names: the keys, in order.
        read: gives their values, in this order; called once at most.
    """

    def __init__(self, names: Sequence[str], read: Callable[[], Iterable[Any]]) -> None:
        super().__init__(dict.fromkeys(names))
        self._names = names
        self._read: Callable[[], Iterable[Any]] | None = read

    def each(self, function: Callable[[Any], Any]) -> Readings:
        """The same with a function of each value, which is called no sooner."""
        return Readings(self._names, lambda: map(function, self.values()))

    def __reduce__(self) -> tuple[type, tuple[list[tuple[str, Any]]]]:  # copies and pickles are plain dictionaries
        return dict, (list(self.items()),)

    def _fill(self) -> None:
        if self._read is not None:
            dict.update(self, zip(self._names, self._read(), strict=True))
            self._read = None


def _filled_before(name: str) -> Callable[..., Any]:
    method = getattr(dict, name)

    def look(self: Readings, *others: Any, **entries: Any) -> Any:
        for one in (self, *others):
            if isinstance(one, Readings):
                one._fill()
        return method(self, *others, **entries)

    look.__name__, look.__doc__ = name, method.__doc__
    return look


# Python's own dictionary reads its values without asking a subclass: each method that does has to fill it first.
for _name in (
    *("__delitem__", "__eq__", "__getitem__", "__ior__", "__iter__", "__ne__", "__or__", "__repr__", "__reversed__"),
    *("__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update"),
    "values",
):
    setattr(Readings, _name, _filled_before(_name))
