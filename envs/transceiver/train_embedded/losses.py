"""What each network of the embedded model is trained to do: VAE, decoder, classifier, generator and light UNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from envs.transceiver.model.scene_classifier import SceneClassifier
from envs.transceiver.train_embedded.architecture import all_captions
from envs.transceiver.train_embedded.data import pick, to_unit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer


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


MIN_SNR_GAMMA = 5.0
UNSAID = 0.08
"""Share of captions that leave out the colour, and of those that leave out the place."""


class CaptionTable:
    """Token ids of every caption, looked up by labels.

    Args:
        tokenizer: the tokenizer of the captions.
        classes: number of nouns, colours and places.
    """

    def __init__(self, tokenizer: CLIPTokenizer, classes: tuple[int, int, int]) -> None:
        nouns, colours, places = classes
        captions = all_captions()
        keys = sorted(captions)
        ids = tokenizer(
            [captions[key] for key in keys] + [""],
            padding="max_length",
            max_length=tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        self.empty = ids[-1]
        self.ids = torch.zeros(nouns, colours + 1, places + 1, ids.shape[1], dtype=torch.long)
        for key, row in zip(keys, ids, strict=False):
            self.ids[key] = row  # index -1 is the last entry: unsaid

    def look_up(self, labels: Tensor) -> Tensor:
        """Token ids int64 [B, L] of labels int64 [B, 3]; -1 is a word left unsaid."""
        return self.ids[labels[:, 0], labels[:, 1], labels[:, 2]]


class DenoiserLoss:
    """The noise-prediction loss (SemAIGC, eq. 18) with classifier-free dropout and min-SNR weights.

    Deviation: the loss of every timestep is weighted by min(SNR, 5) / SNR (Hang et al. 2023), which reaches
    the same quality in a fraction of the steps.

    Args:
        unet: the network that is trained.
        text_encoder: trained with it where its parameters require gradients.
        latents: float32 [N, 4, 8, 8], scaled.
        labels: int64 [N, 3].
        captions: table of token ids.
        alphas_cumprod: [num_train_timesteps].
        batch_size: latents a step.
        unconditional: share of prompts that are emptied.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        latents: Tensor,
        labels: Tensor,
        captions: CaptionTable,
        alphas_cumprod: Tensor,
        batch_size: int,
        unconditional: float = 0.1,
    ) -> None:
        self.unet, self.text_encoder = unet, text_encoder
        self.latents, self.labels, self.captions = latents, labels, captions
        self.alphas_cumprod, self.batch_size, self.unconditional = alphas_cumprod, batch_size, unconditional

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """Loss of one step on latents, timesteps, noise and dropouts drawn by the generator."""
        count = self.batch_size
        index = torch.randint(len(self.latents), (count,), generator=generator)
        latents = self.latents[index].to(memory_format=torch.channels_last)
        ids = self.captions.look_up(leave_unsaid(self.labels[index], generator))
        ids[torch.rand(count, generator=generator) < self.unconditional] = self.captions.empty
        context = self.text_encoder(ids)[0]
        timesteps = torch.randint(len(self.alphas_cumprod), (count,), generator=generator)
        alpha_bar = self.alphas_cumprod[timesteps][:, None, None, None]
        noise = torch.randn(latents.shape, generator=generator)
        noisy = alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * noise
        error = self.unet(noisy, timesteps, context).sample.float() - noise
        return (min_snr_weight(alpha_bar) * error.square()).mean()


def min_snr_weight(alpha_bar: Tensor) -> Tensor:
    """min(SNR, gamma) / SNR with SNR = alpha_bar / (1 - alpha_bar) (Hang et al. 2023, noise prediction)."""
    snr = alpha_bar / (1 - alpha_bar)
    return snr.clamp(max=MIN_SNR_GAMMA) / snr


def leave_unsaid(labels: Tensor, generator: torch.Generator) -> Tensor:
    """Drop the colour, and the place, of a share UNSAID of the labels each."""
    labels = labels.clone()
    for column in (1, 2):
        labels[torch.rand(len(labels), generator=generator) < UNSAID, column] = -1
    return labels
