"""A tiny random Stable Diffusion folder, laid out as that of v1-5: 128 x 128 pictures, 16 x 16 x 4 latents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from envs.transceiver.model.loading import quietly
from envs.transceiver.train_embedded.architecture import seeded

TOKENS = 12
WIDTH = 16
PNDM = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "skip_prk_steps": True,
    "steps_offset": 1,
    "set_alpha_to_one": False,
}
UNET = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (8, 8, 16, 16),
    "layers_per_block": 2,
    "cross_attention_dim": WIDTH,
    "attention_head_dim": 4,
    "norm_num_groups": 4,
}
BK_SDM = {
    **UNET,
    "layers_per_block": 1,
    "mid_block_type": None,
}
"""As BK-SDM-Small: one layer a block and no middle."""
TEXT = {
    "hidden_size": WIDTH,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "projection_dim": 16,
    "max_position_embeddings": TOKENS,
}
SEEDS = {"unet": 0, "vae": 1, "text_encoder": 2, "light": 3, "clip": 5}
MEASURED = [
    "~measure.receivers.finetuned",
    "~measure.receivers.ignore",
    "measure.receivers.rematch=1",
    "+measure.receivers.rematch_light=1",
    "measure.receivers.finetuned_light=null",
    "measure.requests={train: 2, test: 2}",
    "measure.first_snr_db=null",
    "measure.snr_db=[-6, 6]",
    "measure.num_inference_steps=2",
    "measure.prompts=[a dog, red apple]",
    "measure.batch_size=3",
]
"""Overrides of a small profile."""


def choose(folder: Path) -> list[str]:
    """Overrides of a configuration that name what `build` wrote."""
    return [
        "transceiver=stable_diffusion",
        f"transceiver.path={folder / 'model'}",
        f"transceiver.light_unet={folder / 'light'}",
        f"transceiver.clip={folder / 'clip'}",
        "transceiver.device=cpu",
    ]


def build(folder: Path) -> Path:
    """Write `model`, a lighter UNet in `light` and a CLIP model in `clip`."""
    with quietly():
        _build(folder, folder / "model")
    return folder


def _build(folder: Path, model: Path) -> None:
    vocabulary = _tokenizer(model / "tokenizer")
    _seeded("unet", lambda: UNet2DConditionModel(**UNET)).save_pretrained(model / "unet")
    _seeded("vae", _vae).save_pretrained(model / "vae")
    text = CLIPTextConfig(**TEXT, **_ends(vocabulary))
    _seeded("text_encoder", lambda: CLIPTextModel(text)).save_pretrained(model / "text_encoder")
    PNDMScheduler(**PNDM).save_pretrained(model / "scheduler")
    for unused in ("safety_checker", "feature_extractor"):
        (model / unused).mkdir()
    (model / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    _seeded("light", lambda: UNet2DConditionModel(**BK_SDM)).save_pretrained(folder / "light" / "unet")
    _clip(folder / "clip", text)


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
    )


def _tokenizer(folder: Path) -> dict[str, int]:
    """Write vocab.json and merges.txt, as the old layout has them: every letter is a token, and nothing is merged."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    settings = {**ends, "pad_token": "<|endoftext|>", "model_max_length": TOKENS, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "special_tokens_map.json").write_text(json.dumps({**ends, "pad_token": "<|endoftext|>"}))
    return vocabulary


def _ends(vocabulary: dict[str, int]) -> dict[str, int]:
    start, end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]
    return {"vocab_size": len(vocabulary), "bos_token_id": start, "eos_token_id": end, "pad_token_id": end}


def _clip(folder: Path, text: CLIPTextConfig) -> None:
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 8,
    }
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision, projection_dim=16)
    _seeded("clip", lambda: CLIPModel(config)).save_pretrained(folder)
    CLIPTokenizer.from_pretrained(folder.parent / "model" / "tokenizer").save_pretrained(folder)


def _seeded(name: str, build_it: Callable[[], Any]) -> Any:
    with seeded(SEEDS[name]):
        return build_it()
