"""How many bits an element of a coded latent has: a table over codec and steps done, measured on the embedded model.

Numpy alone, so that prices need no entropy coder. `python -m envs measure_latent_codecs` writes latent_codecs.csv. The
quantiser is scaled to each latent, so that the bits depend on the shape of its distribution, not on its size.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

TABLE = Path(__file__).parent / "latent_codecs.csv"
FIELDS = ("codec", "share", "bits_per_element")
HEADER_BITS = 32
"""In front of each latent: what it is scaled by."""


@cache
def latent_codec_curves(table: Path = TABLE) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Codec -> shares of the steps that are done, increasing, and bits an element at each.

    Raises:
        ValueError: a file without these columns, or with text instead of numbers.
    """
    rows: dict[str, list[tuple[float, float]]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                rows.setdefault(row["codec"], []).append((float(row["share"]), float(row["bits_per_element"])))
            except (KeyError, ValueError) as error:
                raise ValueError(f"{table} is no table of measure_latent_codecs: {error}") from error
    return {name: tuple(zip(*sorted(points), strict=True)) for name, points in rows.items()}  # type: ignore[misc]


def latent_bits_per_element(codec: str, share: float) -> float:
    """Bits of an element, linear between the measured shares of the steps that are done.

    Raises:
        ValueError: a codec that was not measured.
    """
    curves = latent_codec_curves()
    if codec not in curves:
        held = ", ".join(curves)
        raise ValueError(f"codec {codec} was not measured, only {held}: python -m envs measure_latent_codecs")
    return float(np.interp(share, *curves[codec]))
