"""One resumable stage of the embedded model's training, whatever its networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers.training_utils import EMAModel
from safetensors.torch import save_file
from torch import Tensor, nn

from envs.files import whole_file
from envs.transceiver.training_loop import run_steps

LossFunction = Callable[[int, torch.Generator], Tensor]


@dataclass
class Stage:
    """What one stage of the training needs to know.

    Attributes:
        name: names its checkpoint.
        modules: the networks that are trained, by name.
        loss: maps (step, generator of that step) to a scalar loss.
        steps, learning_rate, warmup_steps: the optimiser's schedule (cosine to zero).
        ema_decay: decay of the average that is kept of the weights.
        autocast: run the forward pass in bfloat16.
    """

    name: str
    modules: dict[str, nn.Module]
    loss: LossFunction
    steps: int
    learning_rate: float
    warmup_steps: int = 100
    ema_decay: float = 0.999
    weight_decay: float = 1e-3
    autocast: bool = False
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


def train_stage(
    stage: Stage, folder: Path, seed: int, checkpoint_every: int = 250, checkpoint_seconds: float = 60.0
) -> None:
    """Train the stage's modules and leave the averaged weights in them.

    Every step draws from a generator seeded by (seed, step), so that a run that was stopped resumes from
    its last checkpoint exactly as if it had gone on. A finished stage is loaded and not trained again.

    Args:
        folder: where the checkpoint `<name>.pt` lives.
        seed: seed of the whole run.
        checkpoint_every, checkpoint_seconds: steps and seconds that lie between checkpoints at least.
    """
    params = [p for module in stage.modules.values() for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=stage.learning_rate, weight_decay=stage.weight_decay, fused=True)
    average = EMAModel(params, decay=stage.ema_decay, foreach=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stage.name}.pt"
    start = _resume(path, stage, optimizer, average)
    smooth, saved = float("nan"), time.monotonic()

    def take(step: int) -> Tensor:
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * _cosine(step, stage.steps, stage.warmup_steps)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        with torch.autocast(stage.device.type, dtype=torch.bfloat16, enabled=stage.autocast):
            loss = stage.loss(step, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        average.step(params)
        return loss.detach()

    def keep(done: int) -> None:
        nonlocal saved
        _save(path, stage, optimizer, average, done)
        saved = time.monotonic()

    def is_due(done: int) -> bool:
        return done % checkpoint_every == 0 and time.monotonic() - saved > checkpoint_seconds

    def watch(done: int, loss: Tensor) -> float | None:
        nonlocal smooth
        if done % 25 != 1:
            return None
        smooth = loss.item() if math.isnan(smooth) else 0.9 * smooth + 0.1 * loss.item()
        return smooth

    run_steps(stage.name, range(start, stage.steps), take, keep, is_due, watch)
    average.copy_to(params)
    _export(folder / f"{stage.name}.safetensors", stage)


def _cosine(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    done = torch.tensor((step - warmup) / max(1, steps - warmup))
    return float(0.5 * (1 + torch.cos(torch.pi * done))) * 0.98 + 0.02


def _save(path: Path, stage: Stage, optimizer: torch.optim.Optimizer, average: EMAModel, step: int) -> None:
    state = {
        "step": step,
        "modules": {name: module.state_dict() for name, module in stage.modules.items()},
        "optimizer": optimizer.state_dict(),
        "average": average.shadow_params,
    }
    with whole_file(path) as partial:
        torch.save(state, partial)


def _export(path: Path, stage: Stage) -> None:
    weights = {
        f"{name}.{key}": value.contiguous().cpu()
        for name, module in stage.modules.items()
        for key, value in module.state_dict().items()
    }
    with whole_file(path) as partial:
        save_file(weights, partial)


def _resume(path: Path, stage: Stage, optimizer: torch.optim.Optimizer, average: EMAModel) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=stage.device)
    for name, module in stage.modules.items():
        module.load_state_dict(state["modules"][name])
    optimizer.load_state_dict(state["optimizer"])
    average.shadow_params = [kept.to(stage.device) for kept in state["average"]]
    average.optimization_step = int(state["step"])
    return min(average.optimization_step, stage.steps)
