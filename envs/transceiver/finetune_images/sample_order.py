"""Which image comes when, and with which noise: a function of the seed and of the position in the run alone.

Nothing is remembered between steps, so a run that was stopped goes on as if it had not been, and the samples of a
step are the same however they are dealt out to processes and to accumulated parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from envs.channels.noise import stream
from envs.transceiver.finetune_images.captioned_folder import CaptionedFolder


@dataclass(frozen=True)
class SampleOrder:
    """Epochs of shuffled images.

    Attributes:
        images: in the data set.
        seed: of the run.
    """

    images: int
    seed: int

    def image_at(self, position: int) -> int:
        """Index of the image at a position 0, 1, 2, ... of the run: every image once an epoch."""
        epoch, place = divmod(position, self.images)
        return int(_shuffled(self.images, self.seed, epoch)[place])

    def generator_at(self, position: int) -> torch.Generator:
        """The stream of all random numbers of the sample at a position."""
        return stream(self.seed, position)


@dataclass(frozen=True)
class Batch:
    """B samples.

    Attributes:
        pictures: float32 [B, 3, H, W] in [0, 1].
        captions: B captions.
        positions: B positions in the run.
    """

    pictures: Tensor
    captions: list[str]
    positions: list[int]


class Samples(Dataset):
    """The samples of a run by their position.

    Args:
        folder: the images.
        order: which comes when.
    """

    def __init__(self, folder: CaptionedFolder, order: SampleOrder) -> None:
        self.folder, self.order = folder, order

    def __getitem__(self, position: int) -> tuple[Tensor, str, int]:
        """(picture, caption, position)."""
        index = self.order.image_at(position)
        return self.folder.picture(index), self.folder.caption(index), position


def collate(samples: list[tuple[Tensor, str, int]]) -> Batch:
    """A batch of samples."""
    pictures, captions, positions = zip(*samples, strict=True)
    return Batch(torch.stack(pictures), list(captions), list(positions))


def shares(
    steps: range, batch_size: int, accumulation: int, process: int = 0, processes: int = 1
) -> Iterator[list[int]]:
    """Positions of each forward pass of one process.

    Args:
        steps: optimiser steps that remain.
        batch_size: samples a forward pass and process.
        accumulation: forward passes a step.
        process, processes: which of how many.
    """
    for step in steps:
        for part in range(accumulation):
            first = ((step * accumulation + part) * processes + process) * batch_size
            yield list(range(first, first + batch_size))


@lru_cache(maxsize=4)
def _shuffled(images: int, seed: int, epoch: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, epoch]).permutation(images)
