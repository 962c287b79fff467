"""Training of the scene classifier."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from envs.transceiver.classifier import SceneClassifier
from envs.transceiver.training.data import to_unit

NOISE_STD = 0.04
"""Largest pixel noise of the augmentation: delivered pictures are not as clean as rendered ones."""


class ClassifierLoss:
    """Cross-entropy of the three heads on pictures that are blurred and made noisy at random."""

    def __init__(self, classifier: SceneClassifier, pictures: Tensor, labels: Tensor, batch_size: int) -> None:
        """Args: `pictures` uint8 [N, 3, 64, 64]; `labels` int64 [N, 3]; `batch_size` pictures a step."""
        self.classifier, self.pictures, self.labels, self.batch_size = classifier, pictures, labels, batch_size

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """Loss of one step on pictures drawn by the generator."""
        index = torch.randint(len(self.pictures), (self.batch_size,), generator=generator)
        images = augment(to_unit(self.pictures[index]), generator)
        logits = self.classifier(images)
        parts = [cross_entropy(head, self.labels[index, column]) for column, head in enumerate(logits)]
        return torch.stack(parts).sum()


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur half of the pictures and add pixel noise of a random strength to all, [B, 3, H, W] in [0, 1]."""
    blurred = avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    strength = torch.rand(len(images), 1, 1, 1, generator=generator).to(images)
    chosen = (torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5).to(images)
    mixed = images + chosen * strength * (blurred - images)
    level = NOISE_STD * torch.rand(len(images), 1, 1, 1, generator=generator).to(images)
    return mixed + level * torch.randn(images.shape, generator=generator).to(images)
