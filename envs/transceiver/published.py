"""Published architectures: Stable Diffusion v1-5 and the light UNets made from it, as networks without weights.

Only what differs from the defaults of diffusers and transformers is written out. Sources: `config.json` in `unet`,
`vae` and `text_encoder` of Stable Diffusion v1-5 (Rombach et al. 2022); BK-SDM (Kim et al. 2024, figure 3 and the
`config.json` of its three UNets): one block less at every stage (base), no middle stage either (small), and no
innermost stage (tiny).
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

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


def unet(light: str | None = None) -> UNet2DConditionModel:
    """The generator's UNet on the meta device, or a light one of `LIGHT_UNETS`."""
    with torch.device("meta"):
        return UNet2DConditionModel(**{**UNET, **(LIGHT_UNETS[light] if light else {})})


def vae() -> AutoencoderKL:
    """The VAE on the meta device."""
    with torch.device("meta"):
        return AutoencoderKL(**VAE)


def text_encoder() -> CLIPTextModel:
    """The text encoder on the meta device."""
    with torch.device("meta"):
        return CLIPTextModel(CLIPTextConfig(**TEXT_ENCODER))
