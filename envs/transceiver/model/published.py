"""Published architectures, Stable Diffusion v1-5 and the light UNets made from it, without weights; their operations.

An addition and a multiplication are two operations; convolutions, matrix products and attention are counted (torch's
FlopCounterMode), elementwise work is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from envs.costs import Operations
from envs.transceiver.model.flops import count

LATENT_CHANNELS, LATENT_SIZE, IMAGE_SIZE, PROMPT_TOKENS = 4, 64, 512, 77

UNET: dict[str, Any] = {
    "sample_size": LATENT_SIZE,
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
}
LIGHT_UNETS: dict[str, dict[str, Any]] = {
    "bk_sdm_base": {"layers_per_block": 1},
    "bk_sdm_small": {"layers_per_block": 1, "mid_block_type": None},
    "bk_sdm_tiny": {
        "layers_per_block": 1,
        "mid_block_type": None,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("CrossAttnDownBlock2D",) * 3,
        "up_block_types": ("CrossAttnUpBlock2D",) * 3,
    },
}
VAE: dict[str, Any] = {
    "sample_size": IMAGE_SIZE,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "latent_channels": LATENT_CHANNELS,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
TEXT_ENCODER: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": PROMPT_TOKENS,
    "projection_dim": 768,
}


def _denoise(unet: UNet2DConditionModel) -> object:
    latents = torch.zeros(1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE)
    return unet(latents, torch.zeros(1), torch.zeros(1, PROMPT_TOKENS, UNET["cross_attention_dim"]))


def _decode(vae: AutoencoderKL) -> object:
    return vae.decode(torch.zeros(1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE))


def _encode(vae: AutoencoderKL) -> object:
    return vae.encode(torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE))


def _read(text_encoder: CLIPTextModel) -> object:
    return text_encoder(torch.zeros(1, PROMPT_TOKENS, dtype=torch.long))


COUNTERS: dict[str, Callable[[], Operations]] = {
    "text_encoder": partial(count, lambda: CLIPTextModel(CLIPTextConfig(**TEXT_ENCODER)), _read),
    "unet": partial(count, lambda: UNet2DConditionModel(**UNET), _denoise),
    "vae_decoder": partial(count, lambda: AutoencoderKL(**VAE), _decode),
    "vae_encoder": partial(count, lambda: AutoencoderKL(**VAE), _encode),
    **{
        name: partial(count, partial(UNet2DConditionModel, **{**UNET, **light}), _denoise)
        for name, light in LIGHT_UNETS.items()
    },
}
"""What is counted, by its name in the file: for one prompt, latent or image, a UNet without the second forward of
guidance, the VAE's parameters as a whole."""
