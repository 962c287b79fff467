"""What a fine-tuning is asked for. Nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from envs import checks
from envs.checks import Count, Natural, Span
from envs.transceiver.model.options import check_source

CHOICES = {"part": ("finetune_unet", "unet"), "target": ("guided", "noise"), "mixed_precision": ("no", "fp16", "bf16")}
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

    every: Natural
    prompts: list[str] | None
    num_inference_steps: Count
    split: int
    snr_db: float
    seed: Natural

    def __post_init__(self) -> None:
        checks.integer("validation.split", self.split, 0, self.num_inference_steps)


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
    snr_db: Span
    unsaid: float
    seed: Natural
    steps: Count
    batch_size: Count
    gradient_accumulation: Count
    learning_rate: float
    warmup_steps: Natural
    weight_decay: float
    max_grad_norm: float
    ema_decay: float
    mixed_precision: str
    gradient_checkpointing: bool
    num_workers: Natural
    checkpoint_every: Count
    log_every: Count
    validation: Validation

    def __post_init__(self) -> None:
        for name in ("learning_rate", "max_grad_norm"):
            checks.number(name, getattr(self, name), above=0.0)
        checks.number("weight_decay", self.weight_decay, 0.0)
        for name in ("unsaid", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        for name, allowed in CHOICES.items():
            checks.choice(name, getattr(self, name), allowed)
        if self.part == "unet" and self.target != "noise":
            raise ValueError("a generator learns the noise itself: part=unet needs target=noise")
        if not Path(self.data).expanduser().is_dir():
            raise ValueError(f"no folder of images at {self.data}")
        for name, source in (("the model", self.model), ("init", self.init)):
            if source is not None:
                check_source(name, source)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The settings of a configuration.

        Raises:
            ValueError: unknown or missing keys, or a value that is not allowed.
        """
        if config.get("data") is None:
            raise ValueError("data is missing: give a folder of images with metadata.jsonl")
        return checks.parse(cls, config, "the configuration")

    @property
    def kept(self) -> dict[str, Any]:
        """What must stay the same when a run goes on, ready for JSON."""
        values = {key: value for key, value in asdict(self).items() if key not in FREE}
        return values | {"snr_db": list(self.snr_db)}
