"""Training of the VAE, and of its decoder alone once the latent space is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from envs.transceiver.training.data import pick, to_unit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

KL_WEIGHT = 3e-5
SQUARED_WEIGHT = 2.0


def reconstruction_loss(images: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute plus weighted mean squared error of pictures in [-1, 1]."""
    error = images.float() - targets
    return error.abs().mean() + SQUARED_WEIGHT * error.square().mean()


class AutoencoderLoss:
    """Reconstruction plus a light pull of the latents towards N(0, 1) (SemAIGC, eq. 17).

    Deviation: the KL term carries a small weight, as in Stable Diffusion; at weight 1 pictures blur.
    """

    def __init__(self, vae: AutoencoderKL, pictures: Tensor, batch_size: int) -> None:
        """Args: `pictures` uint8 [N, 3, 64, 64]; `batch_size` pictures a step."""
        self.vae, self.pictures, self.batch_size = vae, pictures, batch_size

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """Loss of one step on pictures drawn by the generator."""
        images = to_unit(pick(self.pictures, self.batch_size, generator)) * 2 - 1
        posterior = self.vae.encode(images).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator).to(posterior.mean)
        latents = posterior.mean + posterior.std * noise
        kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).float().mean()
        return reconstruction_loss(self.vae.decode(latents).sample, images) + KL_WEIGHT * kl


class DecoderLoss:
    """Reconstruction from fixed latents: sharpens the decoder while the encoder stays as the generator knows it."""

    def __init__(self, vae: AutoencoderKL, pictures: Tensor, latents: Tensor, batch_size: int) -> None:
        """Args: `pictures` uint8 [N, 3, 64, 64]; `latents` [N, 4, 8, 8] as the encoder's mean, unscaled."""
        self.vae, self.pictures, self.latents, self.batch_size = vae, pictures, latents, batch_size

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """Loss of one step on pictures drawn by the generator."""
        index = torch.randint(len(self.pictures), (self.batch_size,), generator=generator)
        images = to_unit(self.pictures[index]) * 2 - 1
        return reconstruction_loss(self.vae.decode(self.latents[index].to(images)).sample, images)
