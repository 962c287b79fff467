"""Names of codecs, which turn an image or a latent into the bytes of a file. Light to import: names alone.

| codec | of | number behind its name |
|---|---|---|
| `png` | images, lossless but for 8 bits a colour | none |
| `jpeg`, `webp`, `avif` | images | quality, 1..100: by default 75, 75 and 60 |
| `u2` .. `u8` | latents | bits of an element |

A plan's name takes them as suffixes: `edge_aigc_webp`, `uieg_text_jpeg90`, `semaigc(12)_u4` (see `envs.plans.expand`).
Source: own; none of the papers compresses what it sends.
"""

from __future__ import annotations

import re
from typing import Literal

LOSSLESS_CODECS = ("png",)
DEFAULT_QUALITY = {"jpeg": 75, "webp": 75, "avif": 60}
"""Of the lossy image codecs."""
QUALITIES = range(1, 101)
LATENT_CODECS = tuple(f"u{bits}" for bits in range(2, 9))
SUFFIX = rf"_(?:{'|'.join(LOSSLESS_CODECS)}|(?:{'|'.join(DEFAULT_QUALITY)})\d*|u\d+)"
"""Of a plan's name: a codec, known or not."""


def full_codec(codec: str) -> str:
    """The whole name of a codec: `webp` is `webp75`.

    Raises:
        ValueError: an unknown codec, or a quality that it has not.
    """
    match = re.fullmatch(r"([a-z]+)(\d+)?", codec) if isinstance(codec, str) else None
    name, quality = (match[1], match[2]) if match else ("", None)
    if codec in LOSSLESS_CODECS or codec in LATENT_CODECS:
        return codec
    if name in DEFAULT_QUALITY and int(quality or DEFAULT_QUALITY[name]) in QUALITIES:
        return f"{name}{int(quality or DEFAULT_QUALITY[name])}"
    lossy = (f"{each}1..{each}{QUALITIES[-1]}" for each in DEFAULT_QUALITY)
    allowed = ", ".join((*LOSSLESS_CODECS, *lossy, f"{LATENT_CODECS[0]}..{LATENT_CODECS[-1]}"))
    raise ValueError(f"unknown codec {codec!r}; allowed: {allowed}")


def codec_payload(codec: str) -> Literal["image", "latent"]:
    """What a codec encodes."""
    return "latent" if codec in LATENT_CODECS else "image"


def codec_quality(codec: str) -> tuple[str, int | None]:
    """Name and quality of a whole name: `webp75` is ("webp", 75), `png` is ("png", None)."""
    name = codec.rstrip("0123456789")
    return name, int(codec[len(name) :]) if name != codec else None


def codec_suffix(codec: str) -> str:
    """How a plan's name ends with a codec of this whole name: `_webp`, `_webp90`."""
    name, quality = codec_quality(codec)
    return f"_{name}" if quality is not None and DEFAULT_QUALITY.get(name) == quality else f"_{codec}"
