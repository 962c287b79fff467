"""A mean with its confidence limits: as text, and as columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence limits, in the unit of the values; texts take them for those of 95 %."""

    mean: float
    low: float
    high: float

    def __neg__(self) -> Interval:
        return Interval(-self.mean, -self.high, -self.low)

    @property
    def half(self) -> float:
        """Half of the width, what stands behind ±."""
        return (self.high - self.low) / 2

    def span(self, form: str) -> str:
        """The limits, such as "+0.10 to +0.15" of the form "+.2f"."""
        return f"{self.low:{form}} to {self.high:{form}}"

    def text(self, form: str, unit: str = "") -> str:
        """Mean and limits, such as "+0.12 s (95 % +0.10 to +0.15)" of the form "+.2f" and the unit " s"."""
        return f"{self.mean:{form}}{unit} (95 % {self.span(form)})"


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for a CSV file: an interval becomes three columns, NAME, NAME_low and NAME_high."""
    columns: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Interval):
            columns |= {name: value.mean, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            columns[name] = value
    return columns
