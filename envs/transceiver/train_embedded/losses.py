"""What each network of the embedded model is trained to do: VAE, decoder, classifier, generator and light UNet.

A loss is that of one step: `index` int64 [B] are the samples that it draws from, `generator` gives its other random
numbers. Pictures are uint8 [N, 3, 64, 64], labels int64 [N, 3] (noun, colour, place). Samples and random numbers are
drawn on the CPU and taken to where the networks are, so that a device changes no draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from envs.transceiver.model.scene_classifier import SceneClassifier
from envs.transceiver.model.vocabulary import token_ids
from envs.transceiver.scenes.scenes import COLOURS, NOUNS, PLACES
from envs.transceiver.train_embedded.architecture import all_captions
from envs.transceiver.train_embedded.data import to_unit

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer


KL_WEIGHT = 3e-5
SQUARED_WEIGHT = 2.0


def reconstruction_loss(images: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute plus weighted mean squared error of pictures in [-1, 1]."""
    error = images.float() - targets
    return error.abs().mean() + SQUARED_WEIGHT * error.square().mean()


def autoencoder_loss(vae: AutoencoderKL, pictures: Tensor, index: Tensor, generator: torch.Generator) -> Tensor:
    """Reconstruction plus a light pull of the latents towards N(0, 1) (SemAIGC, eq. 17).

    Deviation: the KL term carries a small weight, as in Stable Diffusion; at weight 1 pictures blur.
    """
    images = to_unit(pictures[index].to(vae.device)) * 2 - 1
    posterior = vae.encode(images).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=generator).to(posterior.mean)
    latents = posterior.mean + posterior.std * noise
    kl = 0.5 * (posterior.mean.square() + posterior.var - 1 - posterior.logvar).float().mean()
    return reconstruction_loss(vae.decode(latents).sample, images) + KL_WEIGHT * kl


def decoder_loss(vae: AutoencoderKL, pictures: Tensor, latents: Tensor, index: Tensor, _: torch.Generator) -> Tensor:
    """Reconstruction from fixed latents: sharpens the decoder while the encoder stays as the generator knows it.

    The latents [N, 4, 8, 8] are the encoder's means, unscaled.
    """
    images = to_unit(pictures[index].to(vae.device)) * 2 - 1
    return reconstruction_loss(vae.decode(latents[index].to(images)).sample, images)


NOISE_STD = 0.04
"""Largest pixel noise of the augmentation: delivered pictures are not as clean as rendered ones."""


def classifier_loss(
    classifier: SceneClassifier, pictures: Tensor, labels: Tensor, index: Tensor, generator: torch.Generator
) -> Tensor:
    """Cross-entropy of the three heads on pictures that are blurred and made noisy at random."""
    images, truth = (rows[index].to(classifier.device) for rows in (pictures, labels))
    logits = classifier(augment(to_unit(images), generator))
    parts = [cross_entropy(head, truth[:, column]) for column, head in enumerate(logits)]
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
UNSAID, UNCONDITIONAL = 0.08, 0.1
"""Share of captions that leave out the colour, and of those that leave out the place; share of empty prompts."""


class CaptionTable:
    """Token ids of every caption, looked up by labels; `empty` are those of the empty prompt, [L]."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        ids = token_ids(tokenizer, [*all_captions(), ""])
        self.ids = ids[:-1].unflatten(0, (len(NOUNS), len(COLOURS) + 1, len(PLACES) + 1))
        self.empty = ids[-1]

    def look_up(self, labels: Tensor) -> Tensor:
        """Token ids int64 [B, L] of labels int64 [B, 3]; -1, the last of its kind, is a word left unsaid."""
        return self.ids[labels.unbind(1)]


def denoiser_loss(
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    captions: CaptionTable,
    alphas_cumprod: Tensor,
    latents: Tensor,
    labels: Tensor,
    index: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """The noise-prediction loss (SemAIGC, eq. 18) with classifier-free dropout and min-SNR weights.

    Deviation: the loss of every timestep is weighted by min(SNR, 5) / SNR (Hang et al. 2023), which reaches
    the same quality in a fraction of the steps.

    Args:
        unet: the network that is trained.
        text_encoder: trained with it where its parameters require gradients.
        captions: table of token ids.
        alphas_cumprod: [num_train_timesteps].
        latents: float32 [N, 4, 8, 8], scaled.
        labels, index, generator: see above.
    """
    clean = latents[index].to(unet.device).to(memory_format=torch.channels_last)
    ids = captions.look_up(leave_unsaid(labels[index], generator))
    ids[torch.rand(len(index), generator=generator) < UNCONDITIONAL] = captions.empty
    context = text_encoder(ids.to(unet.device))[0]
    timesteps = torch.randint(len(alphas_cumprod), index.shape, generator=generator)
    alpha_bar = alphas_cumprod[timesteps][:, None, None, None].to(clean)
    noise = torch.randn(clean.shape, generator=generator).to(clean)
    noisy = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise
    error = unet(noisy, timesteps.to(unet.device), context).sample.float() - noise
    return (min_snr_weight(alpha_bar) * error.square()).mean()


def min_snr_weight(alpha_bar: Tensor) -> Tensor:
    """min(SNR, gamma) / SNR with SNR = alpha_bar / (1 - alpha_bar) (Hang et al. 2023, noise prediction)."""
    snr = alpha_bar / (1 - alpha_bar)
    return snr.clamp(max=MIN_SNR_GAMMA) / snr


def leave_unsaid(labels: Tensor, generator: torch.Generator, share: float = UNSAID) -> Tensor:
    """Drop the colour, and the place, of a share of the labels each."""
    labels = labels.clone()
    for column in (1, 2):
        labels[torch.rand(len(labels), generator=generator) < share, column] = -1
    return labels
