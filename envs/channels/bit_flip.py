"""Quantised latents over a binary symmetric channel: each bit flips with a given probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from envs.channels.channel import Channel, Received
from envs.channels.quantiser import MAX_BITS, Quantised, dequantise, quantisation_variance, quantise
from envs.checks import integer, number
from envs.units import FloatArray


@dataclass(frozen=True)
class BitFlip(Channel):
    """What the collaborative paper's figure 3 varies; the SNR has no effect.

    Source: Du et al., "Exploring collaborative distributed diffusion-based AI-generated content (AIGC) in wireless
    networks", figure 3. The paper does not say how latents become bits.

    Attributes:
        probability: of a flip, [0, 0.5].
        num_bits: bits of a latent element.

    Raises:
        ValueError: a value out of range.
    """

    name: ClassVar[str] = "bit_flip"
    SENDS_BITS: ClassVar[bool] = True

    probability: float = 0.01
    num_bits: int = 8

    def __post_init__(self) -> None:
        integer("num_bits of channel bit_flip", self.num_bits, 1, MAX_BITS)
        number("probability of channel bit_flip", self.probability, 0.0, 0.5)

    def _send(self, latents: Tensor, snr_db: FloatArray, generators: Sequence[torch.Generator]) -> Received:
        sent = quantise(latents, self.num_bits)
        drawn = [torch.rand(sent.bits.shape[1], generator=generator) for generator in generators]
        flipped = (torch.stack(drawn) < self.probability).to(sent.bits)
        received = dequantise(Quantised(sent.bits ^ flipped, sent.step), self.num_bits, latents)
        gain = 1 - 2 * self.probability
        variance = flip_variance(self.probability, self.num_bits, sent.step)
        variance = variance + gain**2 * quantisation_variance(sent.step)
        return Received(received, variance, np.full(len(latents), float(sent.bits.shape[1])), gain)


def flip_variance(probability: float, num_bits: int, step: Tensor) -> FloatArray:
    """Variance by flips of an element about its mean, `p (1 - p) step^2 (4^b - 1) / 3`, whatever its value.

    A flip of bit i moves the element v by `2^i step`, up from 0 and down from 1; these moves add up to -2v, so that the
    mean is (1 - 2p) v. Own derivation.
    """
    variance: FloatArray = (probability * (1 - probability) * step.square() * (4**num_bits - 1) / 3).numpy()
    return variance
