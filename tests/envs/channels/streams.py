"""Generators of requests, for the tests of every channel."""

from __future__ import annotations

import torch


def streams(count: int, seed: int = 1) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(10_000 * seed + index) for index in range(count)]


def some_latents(count: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))
