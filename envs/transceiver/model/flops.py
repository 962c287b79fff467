"""Floating-point operations, counted on the meta device: of loaded networks, and of published architectures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import CLIPTextConfig, CLIPTextModel

from envs.transceiver.model.components import Components
from envs.transceiver.receivers import receiver_named


def counted_flops(call: Callable[[], object]) -> int:
    """FLOPs of a call whose networks and tensors lie on the meta device: on real ones fused attention is missed."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return int(counter.get_total_flops())


def forward_flops(components: Components, network: str) -> int:
    """FLOPs of one forward of a denoising network for one latent, counted on the meta device.

    Args:
        network: "unet", "light_unet" or "finetune_unet".

    Raises:
        ValueError: the model lacks it.
    """
    unet = components.network(network)
    with torch.device("meta"):
        twin = type(unet).from_config(unet.config)
        shape = components.latent_shape
        context = torch.zeros(1, components.tokenizer.model_max_length, unet.config.cross_attention_dim)
        return counted_flops(lambda: twin(torch.zeros(1, *shape), torch.zeros(1, dtype=torch.long), context))


def receiver_step_flops(components: Components, receiver: str) -> int:
    """FLOPs of one step of a receiver for one latent: two forwards where it is guided."""
    spec = receiver_named(receiver)
    return forward_flops(components, spec.network) * (2 if spec.guided else 1)


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
