"""What lies at a node while a plan is executed: typed items that modules turn into one another. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from envs.units import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

LEAST_GAIN = 1e-6
"""Where nothing at all arrives, what is divided by."""


@dataclass(frozen=True)
class Latent:
    """B latents on their way from noise to clean ones.

    Attributes:
        values: [B, C, h, w].
        step: denoising steps that it has behind it, 0..T.
        noise_variance: of the channel noise that it carries besides, per real element, float64 [B]; None before it
            has crossed a link. What denoises it from then on is a receiver.
        schedule: fingerprint of the schedule that its steps are of.
        begun: step that it began at: 0 from noise, later from an image.
        gain: of the link, known: `values` are this times the latent that was sent, and noise. One, or float64 [B].
    """

    values: Tensor
    step: int
    noise_variance: FloatArray | None
    schedule: str
    begun: int = 0
    gain: FloatArray | float = 1.0

    @property
    def unbiased(self) -> tuple[Tensor, FloatArray]:
        """Values and noise variance after division by the gain."""
        if np.all(np.equal(self.gain, 1.0)):
            return self.values, self.variance
        gain = np.maximum(np.broadcast_to(self.gain, len(self.values)), LEAST_GAIN)
        return self.values / self.values.new_tensor(gain)[:, None, None, None], self.variance / gain**2

    @property
    def variance(self) -> FloatArray:
        """Variance of the channel noise, zeros where there is none, float64 [B]."""
        return np.zeros(len(self.values)) if self.noise_variance is None else self.noise_variance


@dataclass(frozen=True)
class Image:
    """B images.

    Attributes:
        pixels: float32 [B, 3, H, W] in [0, 1].
        codec: whole name of the codec of the files that they were read from; None: of none.
        files: those files, in order.
    """

    pixels: Tensor
    codec: str | None = None
    files: tuple[bytes, ...] = ()

    @property
    def num_bytes(self) -> int:
        """Bytes of all of them on a link: of the files, or of 24 bits a pixel."""
        return sum(map(len, self.files)) if self.files else self.pixels.numel()


Item = Latent | Image
"""Prompt and seed are on the error-free control channel, so that every node has them: they are not items."""
