"""A folder of captioned images, in the convention of Hugging Face's imagefolder."""

from __future__ import annotations

import hashlib
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

METADATA = "metadata.jsonl"
EXAMPLE = '{"file_name": "apple.png", "text": "a red apple"}'
READERS = 4
"""Threads that try the images when the folder is opened."""


class CaptionedFolder:
    """Images and their captions, in the order of metadata.jsonl.

    Every image is opened once here, so that a damaged one is found before a training starts and not days into it:
    it is skipped, and a warning names and counts what was skipped.

    Args:
        folder: images, in subfolders too, and metadata.jsonl with one object a line: `file_name`, relative to the
            folder, and `text`, the caption.
        resolution: pictures are cut to a square in their middle and scaled to this many pixels a side.

    Raises:
        ValueError: no such folder, no captions, a line that is not what it should be, or no image that can be read.
    """

    def __init__(self, folder: str | Path, resolution: int) -> None:
        self.folder, self.resolution = Path(folder).expanduser(), resolution
        listed = captions_of(self.folder)
        bar = tqdm(listed, desc="images", unit="image", disable=None)
        with ThreadPoolExecutor(READERS) as pool:
            reasons = list(pool.map(lambda entry: self._unreadable(entry[0]), bar))
        bad = [f"{name} ({reason})" for (name, _), reason in zip(listed, reasons, strict=True) if reason]
        self.entries = [entry for entry, reason in zip(listed, reasons, strict=True) if not reason]
        if not self.entries:
            raise ValueError(f"none of the {len(listed)} images in {self.folder} can be read: {bad[0]}")
        if bad:
            warnings.warn(
                f"skipped {len(bad)} of {len(listed)} images that cannot be read: {', '.join(bad)}", stacklevel=2
            )

    def __len__(self) -> int:
        return len(self.entries)

    def caption(self, index: int) -> str:
        """The caption of an image."""
        return self.entries[index][1]

    def picture(self, index: int) -> Tensor:
        """An image, float32 [3, resolution, resolution] in [0, 1]."""
        with Image.open(self.folder / self.entries[index][0]) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        square = ImageOps.fit(upright, (self.resolution, self.resolution), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(square, dtype=np.float32) / 255).permute(2, 0, 1)

    def digest(self) -> str:
        """Short hash of names, sizes and captions: another one means other data."""
        facts = [(name, text, (self.folder / name).stat().st_size) for name, text in self.entries]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

    def _unreadable(self, name: str) -> str | None:
        """Why an image cannot be read; None where it can."""
        try:
            with Image.open(self.folder / name) as image:
                image.load()
        except Exception as error:  # image decoders raise whatever they like
            missing = isinstance(error, FileNotFoundError)
            return "no such file" if missing else " ".join(str(error).split()).replace(str(self.folder / name), name)
        return None


def captions_of(folder: Path) -> list[tuple[str, str]]:
    """(file name, caption) of every line of a folder's metadata.jsonl.

    Raises:
        ValueError: no such folder or file, or a line that is not what it should be.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder of images at {folder}")
    file = folder / METADATA
    if not file.is_file():
        raise ValueError(f"{folder} has no captions: write {METADATA} there, one line an image such as {EXAMPLE}")
    entries = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            entries.append(_entry(line, f"line {number} of {file}"))
    if not entries:
        raise ValueError(f"{folder} has no captions: {METADATA} is empty, expected one line an image such as {EXAMPLE}")
    return entries


def _entry(line: str, where: str) -> tuple[str, str]:
    try:
        entry = json.loads(line)
        name, text = entry["file_name"], entry["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where} has no file_name and text, expected such as {EXAMPLE}") from error
    if not isinstance(name, str) or not isinstance(text, str) or not name or not text.strip():
        raise ValueError(f"{where} has an empty file_name or caption, expected such as {EXAMPLE}")
    return name, text.strip()
