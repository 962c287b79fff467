"""Tiny random diffusion parts: milliseconds a step, the shapes of the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler

from envs.transceiver.model.components import Components
from envs.transceiver.model.options import UNETS
from envs.transceiver.train_embedded import architecture
from envs.transceiver.transceiver import Transceiver

from . import stable_diffusion

TINY_UNET = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "attention": (False, True),
    "cross_attention_dim": 16,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}
TINY_VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": (8, 8, 8, 8),
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 4,
    "sample_size": 64,
    "mid_block_add_attention": False,
}
TINY_TEXT = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "projection_dim": 16,
}
SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


def tiny_components() -> Components:
    """Components with random weights."""
    tokenizer = architecture.new_tokenizer(12)
    parts = {
        "unet": architecture.new_unet(0, **TINY_UNET),
        "finetune_unet": architecture.new_unet(1, **TINY_UNET),
        "light_unet": architecture.new_unet(2, **TINY_UNET),
        "finetune_light_unet": architecture.new_unet(6, **TINY_UNET),
        "vae": architecture.new_vae(3, **TINY_VAE),
        "text_encoder": architecture.new_text_encoder(tokenizer, 4, **TINY_TEXT),
        "classifier": architecture.new_classifier(5, (8, 8, 8, 8)),
    }
    parts = {name: module.eval().requires_grad_(False) for name, module in parts.items()}
    return Components(**parts, tokenizer=tokenizer, scheduler=DDIMScheduler(**SCHEDULER), guidance_scale=3.0)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> Transceiver:
    """A transceiver of tiny random parts with ten steps."""
    return Transceiver(tiny_components(), num_inference_steps=10)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny parts saved in diffusers layout."""
    folder = tmp_path_factory.mktemp("tiny_model")
    components = tiny_components()
    for name in (*UNETS, "vae", "text_encoder", "classifier", "tokenizer", "scheduler"):
        getattr(components, name).save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="session")
def stable_diffusion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Stable Diffusion folder in `model`, a lighter UNet in `light/unet`, a CLIP model in `clip`."""
    return stable_diffusion.build(tmp_path_factory.mktemp("stable_diffusion"))
