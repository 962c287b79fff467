"""The scene classifier: reads noun, colour and place off a picture, and so measures prompt alignment."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class SceneClassifier(ModelMixin, ConfigMixin):
    """A small convolutional network with one head each for noun, colour and place.

    Args:
        nouns, colours, places: the words of each head, in the order of its outputs.
        channels: width of each stage; every stage halves the picture.
    """

    config_name = "config.json"

    @register_to_config
    def __init__(
        self,
        nouns: list[str],
        colours: list[str],
        places: list[str],
        channels: tuple[int, ...] = (24, 48, 96, 128),
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        width = 3
        for out in channels:
            stages += [nn.Conv2d(width, out, 3, stride=2, padding=1), nn.GroupNorm(8, out), nn.SiLU()]
            stages += [nn.Conv2d(out, out, 3, padding=1), nn.GroupNorm(8, out), nn.SiLU()]
            width = out
        self.stages = nn.Sequential(*stages)
        self.feature_norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList([nn.Linear(width, len(words)) for words in (nouns, colours, places)])

    def features(self, images: Tensor) -> Tensor:
        """Features for the Frechet distance.

        Args:
            images: [B, 3, H, W] in [0, 1].

        Returns:
            [B, channels[-1]].
        """
        maps = self.stages(images * 2 - 1)
        return self.feature_norm(0.5 * (maps.mean(dim=(2, 3)) + maps.amax(dim=(2, 3))))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of noun, colour and place, each [B, classes], for images [B, 3, H, W] in [0, 1]."""
        features = self.features(images)
        noun, colour, place = (head(features) for head in self.heads)
        return noun, colour, place

    def labels(self, prompt: str) -> tuple[int, int, int]:
        """Indices of the noun, colour and place that a prompt names; -1 where it names none."""
        text = f" {' '.join(prompt.lower().replace(',', ' ').split())} "
        heads = (self.config.nouns, self.config.colours, self.config.places)
        found = [[i for i, word in enumerate(words) if f" {word} " in text] for words in heads]
        noun, colour, place = (hits[0] if hits else -1 for hits in found)
        return noun, colour, place

    @torch.no_grad()
    def alignment(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """Joint probability of the words of each prompt, [B], for images [B, 3, H, W] in [0, 1]."""
        labels = torch.tensor([self.labels(prompt) for prompt in prompts], device=images.device)
        return self.log_likelihood(images, labels).exp()

    def log_likelihood(self, images: Tensor, labels: Tensor) -> Tensor:
        """Joint log-probability that each image shows its labels.

        Args:
            images: [B, 3, H, W] in [0, 1].
            labels: int64 [B, 3]; -1 leaves a word unsaid (probability 1).

        Returns:
            [B].
        """
        total = images.new_zeros(len(images))
        for logits, label in zip(self(images), labels.T, strict=True):
            said = label >= 0
            picked = torch.log_softmax(logits, dim=1).gather(1, label.clamp(min=0)[:, None])[:, 0]
            total = total + torch.where(said, picked, torch.zeros_like(picked))
        return total
