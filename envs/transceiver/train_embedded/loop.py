"""One resumable stage of the embedded model's training, whatever its networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from envs.files import whole_file
from envs.transceiver.training_loop import run_steps

WEIGHT_DECAY = 1e-3
LossFunction = Callable[[Tensor, torch.Generator], Tensor]
"""(samples of a step int64 [B], its generator, which gives all other random numbers), both of the CPU -> scalar loss
where the networks are."""


@dataclass
class TrainingStage:
    """What one stage of the training needs to know.

    Attributes:
        name: names its checkpoint.
        modules: the networks that are trained, by name, on one device.
        loss: of one step.
        samples, batch_size: to draw from, and drawn for a step with replacement.
        steps, learning_rate, warmup_steps: the optimiser's schedule (cosine to zero).
        ema_decay: decay of the average that is kept of the weights.
        autocast: run the forward pass in bfloat16.
    """

    name: str
    modules: dict[str, nn.Module]
    loss: LossFunction
    samples: int
    batch_size: int
    steps: int
    learning_rate: float
    warmup_steps: int = 100
    ema_decay: float = 0.999
    autocast: bool = False


def train_stage(
    stage: TrainingStage, folder: Path, seed: int, checkpoint_every: int = 250, checkpoint_seconds: float = 60.0
) -> None:
    """Train the stage's modules and leave the averaged weights in them, and in `<name>.safetensors`.

    Every step draws from a generator seeded by (seed, step), so that a run that was stopped resumes from
    its last checkpoint exactly as if it had gone on. A finished stage is loaded and not trained again.

    Args:
        folder: where the checkpoint `<name>.pt` lives.
        seed: seed of the whole run.
        checkpoint_every, checkpoint_seconds: steps and seconds that lie between checkpoints at least.
    """
    networks = nn.ModuleDict(stage.modules)
    params = [p for p in networks.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=stage.learning_rate, weight_decay=WEIGHT_DECAY, fused=True)
    average = [p.detach().clone() for p in params]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stage.name}.pt"
    start = _resume(path, stage, optimizer, average)
    smooth, saved = float("nan"), time.monotonic()

    def take(step: int) -> float | None:
        nonlocal smooth
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * _cosine(step, stage.steps, stage.warmup_steps)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        index = torch.randint(stage.samples, (stage.batch_size,), generator=generator)
        with torch.autocast(params[0].device.type, dtype=torch.bfloat16, enabled=stage.autocast):
            loss = stage.loss(index, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        get_ema_multi_avg_fn(min(stage.ema_decay, (1 + step) / (10 + step)))(average, params, None)
        if step % 25:
            return None
        smooth = loss.item() if math.isnan(smooth) else 0.9 * smooth + 0.1 * loss.item()
        return smooth

    def keep(done: int) -> None:
        nonlocal saved
        _save(path, stage, optimizer, average, done)
        saved = time.monotonic()

    def is_due(done: int) -> bool:
        return done % checkpoint_every == 0 and time.monotonic() - saved > checkpoint_seconds

    run_steps(stage.name, range(start, stage.steps), take, keep, is_due)
    for param, mean in zip(params, average, strict=True):
        param.data.copy_(mean)
    weights = {name: weight.contiguous().cpu() for name, weight in networks.state_dict().items()}
    with whole_file(folder / f"{stage.name}.safetensors") as partial:
        save_file(weights, partial)


def _cosine(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    done = torch.tensor((step - warmup) / max(1, steps - warmup))
    return float(0.5 * (1 + torch.cos(torch.pi * done))) * 0.98 + 0.02


def _save(path: Path, stage: TrainingStage, optimizer: torch.optim.Optimizer, average: list[Tensor], step: int) -> None:
    state = {
        "step": step,
        "modules": {name: module.state_dict() for name, module in stage.modules.items()},
        "optimizer": optimizer.state_dict(),
        "average": average,
    }
    with whole_file(path) as partial:
        torch.save(state, partial)


def _resume(path: Path, stage: TrainingStage, optimizer: torch.optim.Optimizer, average: list[Tensor]) -> int:
    """Take the state of the checkpoint, if there is one; steps that it has behind it."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=average[0].device)
    for name, module in stage.modules.items():
        module.load_state_dict(state["modules"][name])
    optimizer.load_state_dict(state["optimizer"])
    average[:] = state["average"]
    return min(int(state["step"]), stage.steps)
