"""Rows of numbers as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envs.files import whole_file


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as CSV with all their digits.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError(f"no numbers for {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
