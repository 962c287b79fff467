"""The training loop: seeded, resumable exactly, averaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from envs.transceiver.train_embedded.loop import TrainingStage, train_stage


def stage_of(steps: int, stop_at: int | None = None) -> TrainingStage:
    module = torch.nn.Linear(3, 1)
    torch.nn.init.constant_(module.weight, 0.5)
    torch.nn.init.zeros_(module.bias)

    taken = []

    def loss(index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        if len(taken) == stop_at:
            raise KeyboardInterrupt
        taken.append(index)
        x = torch.randn(len(index), 3, generator=generator)
        return (module(x) - x.sum(1, keepdim=True)).square().mean()

    return TrainingStage(
        "toy",
        {"module": module},
        loss,
        99,
        batch_size=8,
        steps=steps,
        learning_rate=0.05,
        warmup_steps=2,
        ema_decay=0.5,
    )


def weights(stage: TrainingStage) -> torch.Tensor:
    return stage.modules["module"].weight.detach().clone()  # type: ignore[union-attr]


def test_an_interrupted_stage_resumes_exactly(tmp_path: Path) -> None:
    whole, cut, rest = stage_of(20), stage_of(20, stop_at=13), stage_of(20)
    train_stage(whole, tmp_path / "a", seed=1)
    with pytest.raises(KeyboardInterrupt):
        train_stage(cut, tmp_path / "b", seed=1, checkpoint_every=5, checkpoint_seconds=0)
    train_stage(rest, tmp_path / "b", seed=1)
    assert torch.equal(weights(whole), weights(rest))


def test_another_seed_trains_another_network(tmp_path: Path) -> None:
    one, other = stage_of(10), stage_of(10)
    train_stage(one, tmp_path / "a", seed=1)
    train_stage(other, tmp_path / "b", seed=2)
    assert not torch.equal(weights(one), weights(other))


def test_a_finished_stage_is_loaded_and_not_trained_again(tmp_path: Path) -> None:
    first, again = stage_of(10), stage_of(10, stop_at=0)
    train_stage(first, tmp_path, seed=1)
    train_stage(again, tmp_path, seed=1)
    assert torch.equal(weights(first), weights(again))
    assert torch.equal(load_file(tmp_path / "toy.safetensors")["module.weight"], weights(first))


def test_it_learns(tmp_path: Path) -> None:
    stage = stage_of(200)
    train_stage(stage, tmp_path, seed=1)
    assert weights(stage) == pytest.approx(torch.ones(1, 3), abs=0.02)
