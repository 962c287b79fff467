"""Latents as bits: a uniform quantiser over the range of each latent.

Own choice: the range, one number a latent, travels on the error-free control channel, as prompt and seed do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from envs.units import FloatArray

MAX_BITS = 16
"""Of an element."""


class Quantised(NamedTuple):
    """B latents in bits.

    Attributes:
        bits: uint8 of 0 and 1, [B, elements * num_bits], the most significant bit of an element first.
        step: width of a cell, float [B]; the outermost cells end at the largest magnitude of the latent.
    """

    bits: Tensor
    step: Tensor


def quantise(latents: Tensor, num_bits: int) -> Quantised:
    """Natural binary labels of the cells that the elements of latents [B, ...] lie in, on the CPU."""
    values = latents.detach().cpu().double().flatten(1)
    step = 2 * values.abs().amax(dim=1) / 2**num_bits
    safe = step.where(step > 0, 1.0)[:, None]
    cell = (values / safe + 2 ** (num_bits - 1)).floor().clamp(0, 2**num_bits - 1).long()
    bits = cell[:, :, None] >> _places(num_bits) & 1
    return Quantised(bits.flatten(1).to(torch.uint8), step)


def dequantise(quantised: Quantised, num_bits: int, like: Tensor) -> Tensor:
    """Middles of the cells, of the shape, type and device of `like`."""
    bits = quantised.bits.reshape(len(quantised.bits), -1, num_bits).long()
    cell = (bits << _places(num_bits)).sum(dim=2)
    values = (cell + 0.5 - 2 ** (num_bits - 1)) * quantised.step[:, None]
    return values.reshape(like.shape).to(like)


def quantisation_variance(step: Tensor) -> FloatArray:
    """Variance of the error of a uniform quantiser, `step^2 / 12` per element, float64 [B]."""
    variance: FloatArray = (step.square() / 12).numpy()
    return variance


def _places(num_bits: int) -> Tensor:
    return torch.arange(num_bits - 1, -1, -1)
