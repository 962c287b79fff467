"""Which image comes when, and with which noise: a function of the seed and of the position in the run alone.

Nothing is remembered between steps, so a run that was stopped goes on as if it had not been, and the samples of a
step are the same however they are dealt out to processes and to accumulated parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from envs.transceiver.finetune_images.captioned_folder import CaptionedFolder


class Samples(Dataset):
    """The samples of a run by their position 0, 1, 2, ...: every image once an epoch.

    Args:
        folder: the images.
        seed: of the run.
    """

    def __init__(self, folder: CaptionedFolder, seed: int) -> None:
        self.folder, self.seed = folder, seed

    def __getitem__(self, position: int) -> tuple[Tensor, str, int]:
        """(picture float32 [3, H, W] in [0, 1], caption, position)."""
        index = image_at(position, len(self.folder), self.seed)
        return self.folder.picture(index), self.folder.caption(index), position


def image_at(position: int, images: int, seed: int) -> int:
    """Index of the image at a position of a run over a number of images."""
    epoch, place = divmod(position, images)
    return int(_shuffled(images, seed, epoch)[place])


@lru_cache(maxsize=4)
def _shuffled(images: int, seed: int, epoch: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, epoch]).permutation(images)


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
