"""Training of a conditional denoiser on latents: the generator (with its text encoder), and the light UNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from envs.transceiver.architecture import all_captions

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

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
