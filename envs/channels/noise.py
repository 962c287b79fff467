"""Noise of a request, or of a sample, from its own generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def stream(*words: int) -> torch.Generator:
    """A generator of its own for what the words name, such as (seed, position)."""
    high, low = np.random.SeedSequence(words).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(high) << 31 | int(low) >> 1)


def unit_noise(generators: Sequence[torch.Generator], like: Tensor) -> Tensor:
    """Standard normal noise, one generator a request, so that a request's noise does not depend on its batch."""
    rows = [torch.randn(like.shape[1:], generator=generator) for generator in generators]
    return torch.stack(rows).to(like)
