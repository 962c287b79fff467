"""What a fine-tuning is asked for. Nothing heavy is imported."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from envs.transceiver.model.options import check_source

PARTS = ("finetune_unet", "unet")
TARGETS = ("guided", "noise")
PRECISIONS = ("no", "fp16", "bf16")
FREE = ("data", "model", "init", "output", "steps", "num_workers", "checkpoint_every", "log_every", "validation")
"""What may change when a run goes on: where things are, how long it runs, and what is only watched."""


@dataclass(frozen=True)
class Validation:
    """Images that are shown while a UNet learns.

    Attributes:
        every: optimiser steps between two looks; 0 for none but at the end.
        prompts: what is asked for; None takes the captions of the first images.
        num_inference_steps, split, snr_db: of the transceiver that makes them; a generator runs all steps itself.
        seed: of their initial noise.
    """

    every: int
    prompts: tuple[str, ...] | None
    num_inference_steps: int
    split: int
    snr_db: float
    seed: int

    def __post_init__(self) -> None:
        if self.prompts is not None and not self.prompts:
            raise ValueError("validation.prompts is an empty list: give one or more, or null for captions of the data")
        if self.every < 0:
            raise ValueError(f"validation.every must be 0 or more, got {self.every}")
        if not 0 <= self.split <= self.num_inference_steps:
            raise ValueError(f"validation.split must be in 0..{self.num_inference_steps}, got {self.split}")
        if not math.isfinite(self.snr_db):
            raise ValueError(f"validation.snr_db must be finite, got {self.snr_db}")


@dataclass(frozen=True)
class FinetuneSettings:
    """`configs/finetune.yaml`.

    Attributes:
        data: folder of images with metadata.jsonl.
        model: folder in diffusers layout, `hub:owner/name`, or None for the embedded model.
        output: where checkpoints, log and the trained UNet go.
        part: `finetune_unet`, the receiver's network, or `unet`, the generator's.
        init: folder of a UNet to start from; None is the model's own of that part, or what comes nearest to it.
        target: `guided` learns the generator's guided prediction (receiver only), `noise` the noise itself.
        guidance_scale: of the target and of the validation; None is the model's own.
        snr_db: range of the links that a receiver learns for.
        unsaid: share of captions left out, for a generator's guidance.
        seed: of order and noise.
        steps: optimiser steps.
        batch_size: images a forward pass and process; a step sees it times accumulation times processes.
        gradient_accumulation: forward passes a step.
        learning_rate, warmup_steps, weight_decay, max_grad_norm: of AdamW; constant after a linear warm-up.
        ema_decay: of the average of the weights, which is what is kept.
        mixed_precision: `no`, `fp16` or `bf16`.
        gradient_checkpointing: less memory for more time.
        num_workers: processes that read images, for each process that trains.
        checkpoint_every, log_every: optimiser steps.
        validation: images that are shown.

    Raises:
        ValueError: anything out of range, or a folder that is not there.
    """

    data: str
    model: str | None
    output: str
    part: str
    init: str | None
    target: str
    guidance_scale: float | None
    snr_db: tuple[float, float]
    unsaid: float
    seed: int
    steps: int
    batch_size: int
    gradient_accumulation: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    max_grad_norm: float
    ema_decay: float
    mixed_precision: str
    gradient_checkpointing: bool
    num_workers: int
    checkpoint_every: int
    log_every: int
    validation: Validation

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "gradient_accumulation", "checkpoint_every", "log_every"):
            _at_least(name, getattr(self, name), 1)
        for name in ("seed", "warmup_steps", "num_workers"):
            _at_least(name, getattr(self, name), 0)
        for name in ("learning_rate", "max_grad_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")
        for name, top in (("weight_decay", math.inf), ("unsaid", 1.0), ("ema_decay", 1.0)):
            if not 0 <= getattr(self, name) < top:
                raise ValueError(f"{name} must be in [0, {top:g}), got {getattr(self, name)}")
        for name, allowed in (("part", PARTS), ("target", TARGETS), ("mixed_precision", PRECISIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        if self.part == "unet" and self.target != "noise":
            raise ValueError("a generator learns the noise itself: part=unet needs target=noise")
        low, high = self.snr_db
        if not -math.inf < low <= high < math.inf:
            raise ValueError(f"snr_db must be a finite range [low, high], got {list(self.snr_db)}")
        if not Path(self.data).expanduser().is_dir():
            raise ValueError(f"no folder of images at {self.data}")
        for name, source in (("the model", self.model), ("init", self.init)):
            if source is not None:
                check_source(name, source)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self:
        """The settings of a configuration.

        Raises:
            ValueError: unknown or missing keys, or a value that is not allowed.
        """
        values = dict(config)
        values["snr_db"] = _pair(values.get("snr_db"))
        validation = dict(values.get("validation") or {})
        if validation.get("prompts") is not None:
            validation["prompts"] = tuple(validation["prompts"])
        _check_keys("validation", validation, Validation)
        _check_keys("the configuration", values, cls)
        if values["data"] is None:
            raise ValueError("data is missing: give a folder of images with metadata.jsonl")
        return cls(**{**values, "validation": Validation(**validation)})

    @property
    def kept(self) -> dict[str, Any]:
        """What must stay the same when a run goes on, ready for JSON."""
        return {key: _plain(value) for key, value in asdict(self).items() if key not in FREE}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _pair(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"snr_db must be a range [low, high] in dB, got {value!r}")
    return float(value[0]), float(value[1])


def _check_keys(where: str, given: Mapping[str, Any], settings: type) -> None:
    names = [field.name for field in fields(settings)]
    if unknown := [key for key in given if key not in names]:
        raise ValueError(f"unknown keys in {where}: {', '.join(unknown)}; allowed: {', '.join(names)}")
    if missing := [name for name in names if name not in given]:
        raise ValueError(f"missing keys in {where}: {', '.join(missing)}")


def _at_least(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
