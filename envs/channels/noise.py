"""Noise of a request from its own generator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def unit_noise(generators: Sequence[torch.Generator], like: Tensor) -> Tensor:
    """Standard normal noise, one generator a request, so that a request's noise does not depend on its batch."""
    rows = [torch.randn(like.shape[1:], generator=generator) for generator in generators]
    return torch.stack(rows).to(like)
