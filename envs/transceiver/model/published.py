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
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from envs.costs import LIGHT_MODELS, Operations
from envs.transceiver.model.flops import counted_flops

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


def count(call: Callable[[], object], network: nn.Module) -> Operations:
    """Operations of a call, and the parameters of the network that it runs."""
    return Operations(counted_flops(call), sum(parameter.numel() for parameter in network.parameters()))


def count_unet(light: str | None = None) -> Operations:
    """One forward of the generator's UNet, or of a light one, for one latent: without the second one of guidance."""
    network = unet(light)
    latents = _meta(1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE)
    text = _meta(1, PROMPT_TOKENS, UNET["cross_attention_dim"])
    return count(lambda: network(latents, _meta(1), text), network)


def count_vae_decoder() -> Operations:
    """Decoding one latent; parameters of the whole VAE."""
    network = vae()
    latents = _meta(1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE)
    return count(lambda: network.decode(latents), network)


def count_vae_encoder() -> Operations:
    """Encoding one image; parameters of the whole VAE."""
    network = vae()
    return count(lambda: network.encode(_meta(1, 3, IMAGE_SIZE, IMAGE_SIZE)), network)


def count_text_encoder() -> Operations:
    """Encoding one prompt."""
    network = text_encoder()
    return count(lambda: network(_meta(1, PROMPT_TOKENS, dtype=torch.long)), network)


COUNTERS: dict[str, Callable[[], Operations]] = {
    "text_encoder": count_text_encoder,
    "unet": count_unet,
    "vae_decoder": count_vae_decoder,
    "vae_encoder": count_vae_encoder,
    **{name: partial(count_unet, name) for name in LIGHT_MODELS},
}
"""What is counted, by its name in the file."""


def _meta(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(*shape, dtype=dtype, device="meta")
