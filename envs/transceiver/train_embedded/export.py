"""Export of the trained parts in diffusers layout, safetensors only, half precision on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from envs.files import usual_modes
from envs.transceiver.model.loading import quietly
from envs.transceiver.train_embedded import architecture

if TYPE_CHECKING:
    from envs.transceiver.train_embedded.parts import ModelParts

RECEIVERS = {"light_unet": "light", "finetune_unet": "finetune", "finetune_light_unet": "finetune_light"}
"""The receiver's networks, and the stages that train them."""


def export_model(training: ModelParts) -> None:
    """Write every component that is trained, or that `init` holds, to the export folder, replacing what was there."""
    config, target = training.config, Path(training.config.export)
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    text_encoder = training.trained_text_encoder()
    networks: dict[str, Any] = {"vae": training.vae(), "unet": training.generator(), "text_encoder": text_encoder}
    if _is_there(training, "classifier", "classifier"):
        networks["classifier"] = training.classifier()
    for name, stage in RECEIVERS.items():
        if _is_there(training, name, stage):
            networks[name] = training.unet(name, stage)
    tokenizer = architecture.new_tokenizer(config.tokenizer.max_length)  # one that was used keeps how it last padded
    parts = {"tokenizer": tokenizer, "scheduler": training.scheduler, **networks}
    with quietly():
        for network in networks.values():
            network.to(dtype=torch.float16, memory_format=torch.contiguous_format)
        for name, part in parts.items():
            part.save_pretrained(partial / name)
    index = {
        "_class_name": "StableDiffusionPipeline",
        **{name: _class_of(part) for name, part in parts.items()},
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "guidance_scale": float(config.sampling.guidance_scale),
        "num_inference_steps": int(config.sampling.num_inference_steps),
    }
    (partial / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    for card in target.glob("*.md"):
        shutil.copy2(card, partial)
    usual_modes(partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _is_there(training: ModelParts, part: str, stage: str) -> bool:
    """Whether there is a part to export: its stage is finished, or `init` holds it."""
    init = training.config.init
    return (training.folder / f"{stage}.safetensors").exists() or (init is not None and (Path(init) / part).is_dir())


def _class_of(part: object) -> list[str]:
    """Library and class, as a model's index names them."""
    module = type(part).__module__
    return [module if module.startswith("envs.") else module.partition(".")[0], type(part).__name__]
