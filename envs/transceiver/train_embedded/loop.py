"""One resumable training loop for every network of the embedded model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from envs.files import whole_file

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
    average = [p.detach().clone() for p in params]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stage.name}.pt"
    start = _resume(path, stage, optimizer, average)
    bar = tqdm(range(start, stage.steps), initial=start, total=stage.steps, desc=stage.name, mininterval=5)
    smooth, saved = 0.0, time.monotonic()
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * _cosine(step, stage.steps, stage.warmup_steps)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        with torch.autocast(stage.device.type, dtype=torch.bfloat16, enabled=stage.autocast):
            loss = stage.loss(step, generator)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        decay = min(stage.ema_decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(average, [p.detach() for p in params], 1 - decay)
        if step % 25 == 0:
            smooth = loss.item() if step == start else 0.9 * smooth + 0.1 * loss.item()
            bar.set_postfix(loss=f"{smooth:.4f}")
        late = time.monotonic() - saved > checkpoint_seconds
        if (step + 1) % checkpoint_every == 0 and late and step + 1 < stage.steps:
            _save(path, stage, optimizer, average, step + 1)
            saved = time.monotonic()
    if start < stage.steps:
        _save(path, stage, optimizer, average, stage.steps)
    _copy(average, params)
    _export(folder / f"{stage.name}.safetensors", stage)


def _cosine(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    done = torch.tensor((step - warmup) / max(1, steps - warmup))
    return float(0.5 * (1 + torch.cos(torch.pi * done))) * 0.98 + 0.02


def _save(path: Path, stage: Stage, optimizer: torch.optim.Optimizer, average: list[Tensor], step: int) -> None:
    state = {
        "step": step,
        "modules": {name: module.state_dict() for name, module in stage.modules.items()},
        "optimizer": optimizer.state_dict(),
        "average": average,
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


def _resume(path: Path, stage: Stage, optimizer: torch.optim.Optimizer, average: list[Tensor]) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=stage.device)
    for name, module in stage.modules.items():
        module.load_state_dict(state["modules"][name])
    optimizer.load_state_dict(state["optimizer"])
    _copy(state["average"], average)
    return min(int(state["step"]), stage.steps)


@torch.no_grad()
def _copy(source: Iterable[Tensor], target: Iterable[Tensor]) -> None:
    for to, new in zip(target, source, strict=True):
        to.copy_(new)
