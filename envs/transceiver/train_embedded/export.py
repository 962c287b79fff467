"""Export of the trained parts in diffusers layout, safetensors only, half precision on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from envs.transceiver.model.loading import quietly

if TYPE_CHECKING:
    from envs.transceiver.train_embedded.parts import ModelParts


def export_model(training: ModelParts) -> None:
    """Write every component that is trained, or that `init` holds, to the export folder, replacing what was there."""
    target = Path(training.config.export)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    training.tokenizer.save_pretrained(partial / "tokenizer")
    training.scheduler.save_pretrained(partial / "scheduler")
    text_encoder = training.trained_text_encoder()
    parts = {"vae": training.vae(), "unet": training.generator(), "text_encoder": text_encoder}
    optional = {
        "classifier": ("classifier", training.classifier),
        "light_unet": ("light", training.light),
        "finetune_unet": ("finetune", training.finetuned),
    }
    parts |= {name: build() for name, (stage, build) in optional.items() if training.has(stage, name)}
    with quietly():
        for name, module in parts.items():
            module.to(dtype=torch.float16, memory_format=torch.contiguous_format).save_pretrained(
                partial / name, safe_serialization=True
            )
    (partial / "model_index.json").write_text(json.dumps(_index(training, list(parts)), indent=2) + "\n")
    if target.exists():
        shutil.copytree(target, partial, dirs_exist_ok=True, ignore=_all_but_cards)
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(target)


def _all_but_cards(_: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".md")]


def _index(training: ModelParts, parts: list[str]) -> dict:
    classes = {
        "vae": ["diffusers", "AutoencoderKL"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "finetune_unet": ["diffusers", "UNet2DConditionModel"],
        "light_unet": ["diffusers", "UNet2DConditionModel"],
        "classifier": ["envs.transceiver.model.scene_classifier", "SceneClassifier"],
    }
    return {
        "_class_name": "StableDiffusionPipeline",
        **{name: classes[name] for name in ("tokenizer", "scheduler", *parts)},
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "guidance_scale": float(training.config.sampling.guidance_scale),
        "num_inference_steps": int(training.config.sampling.num_inference_steps),
    }
