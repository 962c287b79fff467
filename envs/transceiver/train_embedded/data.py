"""Rendered scenes as tensors, drawn once and kept beside the checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from envs.files import whole_file
from envs.transceiver.scenes.scenes import Scene, draw_scenes

CHUNK = 1000


def rendered(scenes: tuple[Scene, ...], count: int, seed: int, cache: Path) -> tuple[Tensor, Tensor]:
    """Render scenes, or load them where they were rendered before.

    Args:
        scenes: combinations to draw from.
        count: number of pictures.
        seed: seed of the drawing.
        cache: file without suffix; `.images.npy` and `.labels.npy` are written.

    Returns:
        (pictures uint8 [count, 3, 64, 64], labels int64 [count, 3]).
    """
    images_file, labels_file = cache.with_suffix(".images.npy"), cache.with_suffix(".labels.npy")
    if not images_file.exists():
        parts = []
        with tqdm(total=count, desc=f"scenes {cache.name}", unit="image") as bar:
            for start in range(0, count, CHUNK):
                parts.append(draw_scenes(scenes, min(CHUNK, count - start), seed * 7919 + start))
                bar.update(len(parts[-1][0]))
        write_array(labels_file, np.concatenate([labels for _, labels in parts]))
        write_array(images_file, np.concatenate([images for images, _ in parts]).transpose(0, 3, 1, 2))
    return torch.from_numpy(np.load(images_file)), torch.from_numpy(np.load(labels_file))


def write_array(path: Path, array: np.ndarray) -> None:
    """Save an array under a temporary name, then rename it."""
    with whole_file(path) as partial:
        np.save(partial, np.ascontiguousarray(array))


def to_unit(pictures: Tensor) -> Tensor:
    """uint8 pictures [B, 3, H, W] to float32 in [0, 1], channels last (twice as fast on a CPU)."""
    return (pictures.float() / 255).to(memory_format=torch.channels_last)
