"""How many bits a coded image has: a table over codec and quality, measured on natural photographs.

Numpy alone, so that prices need no image library. `python -m envs measure_codecs` writes codecs.csv: means over
photographs of 512 x 512, of bits a pixel and of PSNR.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from envs.plans import codec_quality

TABLE = Path(__file__).parent / "codecs.csv"
FIELDS = ("codec", "quality", "bits_per_pixel", "psnr_db", "images", "side")


@dataclass(frozen=True)
class CodecCurve:
    """A codec over its qualities.

    Attributes:
        quality: increasing; one zero where the codec has none.
        bits_per_pixel: means, of the same length.
        psnr_db: likewise; infinite where nothing is lost.
    """

    quality: tuple[int, ...]
    bits_per_pixel: tuple[float, ...]
    psnr_db: tuple[float, ...]


@cache
def codec_curves(table: Path = TABLE) -> dict[str, CodecCurve]:
    """The curves of codecs.csv, or of another such file, by codec.

    Raises:
        ValueError: a file without these columns, or with text instead of numbers.
    """
    rows: dict[str, list[tuple[int, float, float]]] = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                point = int(row["quality"] or 0), float(row["bits_per_pixel"]), float(row["psnr_db"] or "inf")
                rows.setdefault(row["codec"], []).append(point)
            except (KeyError, ValueError) as error:
                raise ValueError(f"{table} is no table of measure_codecs: {error}") from error
    return {name: CodecCurve(*zip(*sorted(points), strict=True)) for name, points in rows.items()}


def image_bits_per_pixel(codec: str) -> float:
    """Bits a pixel of an image by a codec's whole name, linear between the measured qualities.

    Raises:
        ValueError: a codec that was not measured, or a quality beyond those that were.
    """
    name, quality = codec_quality(codec)
    curves = codec_curves()
    if name not in curves:
        raise ValueError(f"codec {codec} was not measured, only {', '.join(curves)}: python -m envs measure_codecs")
    curve, wanted = curves[name], quality or 0
    if not curve.quality[0] <= wanted <= curve.quality[-1]:
        raise ValueError(
            f"quality of {name} must lie in {curve.quality[0]}..{curve.quality[-1]}, which were measured, got {wanted}"
        )
    return float(np.interp(wanted, curve.quality, curve.bits_per_pixel))
