"""Image codecs: the bytes of real files, made and read by Pillow. Light to import."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from envs.plans import codec_quality

if TYPE_CHECKING:
    from torch import Tensor

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
"""Natural photographs in colour that scikit-image has in its package."""
ONE_THREAD = {"avif": {"max_threads": 1}}
Pixels = NDArray[np.uint8]


def encode(pixels: Pixels, codec: str) -> bytes:
    """The file of an image, uint8 [H, W, 3], by a codec's whole name (`envs.plans.full_codec`).

    What Pillow leaves open is its default: JPEG and AVIF halve the resolution of the colours, no metadata.
    """
    name, quality = codec_quality(codec)
    options = {} if quality is None else {"quality": quality}
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, name.upper(), **options, **ONE_THREAD.get(name, {}))  # type: ignore[arg-type]
    return file.getvalue()


def decode(file: bytes) -> Pixels:
    """The image in a file, uint8 [H, W, 3]."""
    return np.array(Image.open(io.BytesIO(file)).convert("RGB"))


def encode_images(images: Tensor, codec: str) -> tuple[bytes, ...]:
    """Files of images [B, 3, H, W] in [0, 1], rounded to 8 bits a colour first."""
    pixels = images.detach().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return tuple(encode(np.ascontiguousarray(each), codec) for each in pixels)


def decode_images(files: Sequence[bytes], like: Tensor) -> Tensor:
    """Images float32 [B, 3, H, W] in [0, 1] of files, on the device of `like`."""
    pixels = np.stack([decode(file) for file in files])
    return like.new_tensor(pixels).permute(0, 3, 1, 2).div(255).contiguous()


def photographs(folder: str | Path | None, side: int) -> list[Pixels]:
    """Photographs as uint8 [side, side, 3]: their largest square in the middle, resized (Lanczos).

    Args:
        folder: of image files, others in it are left out; None: those of scikit-image.
        side: in pixels.

    Raises:
        ValueError: no such folder, no image in it, or scikit-image is not installed.
    """
    found = [_scikit_image(name) for name in PHOTOGRAPHS] if folder is None else _in_folder(Path(folder))
    squares = [ImageOps.fit(each.convert("RGB"), (side, side), Image.Resampling.LANCZOS) for each in found]
    return [np.array(square) for square in squares]


def _scikit_image(name: str) -> Image.Image:
    try:
        from skimage import data
    except ModuleNotFoundError:
        raise ValueError("scikit-image is not installed: pip install scikit-image, or give data=FOLDER") from None
    return Image.fromarray(getattr(data, name)())


def _in_folder(folder: Path) -> list[Image.Image]:
    if not folder.is_dir():
        raise ValueError(f"data must be a folder of images, got {str(folder)!r}")
    found: list[Image.Image] = []
    for file in sorted(each for each in folder.iterdir() if each.is_file()):
        try:
            found.append(Image.open(file))
            found[-1].load()
        except UnidentifiedImageError:
            continue
    if not found:
        raise ValueError(f"data {str(folder)!r} holds no image that Pillow reads")
    return found


def measured(images: Sequence[Pixels], codec: str) -> dict[str, Any]:
    """What a codec makes of images: means over them of the bits a pixel, and of the PSNR in dB (None: lossless)."""
    bits, psnr_db = [], []
    for image in images:
        file = encode(image, codec)
        bits.append(8 * len(file) / (image.shape[0] * image.shape[1]))
        error = np.mean((decode(file) / 255.0 - image / 255.0) ** 2)
        psnr_db.append(np.inf if error == 0 else -10 * np.log10(error))
    shown = float(np.mean(psnr_db))
    return {"bits_per_pixel": float(np.mean(bits)), "psnr_db": None if np.isinf(shown) else shown}
