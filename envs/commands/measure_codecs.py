"""Measure bits a pixel and PSNR of the image codecs over quality: `python -m envs measure_codecs`.

Every image is cut to its largest square in the middle and resized to side x side (Lanczos). Without `data` these are
the natural photographs in colour that scikit-image has in its package: few, but everybody has the same.
`output=envs/costs/codecs.csv` is the table that prices read. A quarter of a minute.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from tqdm import tqdm

from envs import checks
from envs.command_line import command
from envs.costs.codecs import FIELDS
from envs.files import write_rows
from envs.plans import DEFAULT_QUALITY, LOSSLESS_CODECS, full_codec


@command("measure_codecs")
def main(config: DictConfig) -> None:
    """Measure every codec at every quality, its default too, and write the table."""
    output, data = Path(checks.text("output", config.output)), config.data
    side = checks.integer("side", config.side, 16)
    if not list(config.qualities):
        raise ValueError("qualities must name one or more")
    qualities = [checks.integer("qualities", each, 1, 100) for each in config.qualities]
    folder = None if data is None else checks.text("data", data)
    from envs.transceiver.codecs.images import measured, photographs  # heavy: after mistakes

    images = photographs(folder, side)
    asked: list[tuple[str, int | None]] = [(name, None) for name in LOSSLESS_CODECS]
    for name, usual in DEFAULT_QUALITY.items():
        asked += [(name, quality) for quality in sorted({*qualities, usual})]
    rows: list[dict[str, Any]] = []
    for name, quality in tqdm(asked, unit="codec"):
        found = measured(images, full_codec(name if quality is None else f"{name}{quality}"))
        numbers = {key: None if value is None else f"{value:.4f}" for key, value in found.items()}
        rows.append(dict.fromkeys(FIELDS) | {"codec": name, "quality": quality} | numbers)
        rows[-1] |= {"images": len(images), "side": side}
    write_rows(output, rows)
    for name in (*LOSSLESS_CODECS, *DEFAULT_QUALITY):
        row = next(row for row in rows if (row["codec"], row["quality"]) == (name, DEFAULT_QUALITY.get(name)))
        lost = "lossless" if row["psnr_db"] is None else f"{float(row['psnr_db']):.1f} dB"
        kilobytes = float(row["bits_per_pixel"]) * side**2 / 8e3
        print(f"{full_codec(name)}: {float(row['bits_per_pixel']):.2f} bits a pixel, {kilobytes:.1f} kB, {lost}")
    print(f"{output}: {len(rows)} rows over {len(images)} images")
