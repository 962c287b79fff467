"""Flipped bits against their closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.channels.bit_flip import BitFlip
from envs.channels.quantiser import quantise

from .streams import some_latents, streams


def test_without_flips_only_quantisation_is_left() -> None:
    latents = some_latents(3, 4, 8, 8)
    received, variance, bits, gain = BitFlip(probability=0.0).send(latents, 0.0, streams(3))
    step = quantise(latents, 8).step
    assert torch.all((received - latents).abs().amax(dim=(1, 2, 3)) <= 0.501 * step)
    assert variance == pytest.approx((step.square() / 12).numpy())
    assert np.all(bits == 4 * 8 * 8 * 8)
    assert gain == 1.0


def test_bits_flip_as_often_as_they_should() -> None:
    """307,200 bits: three standard errors of the share are 0.0008."""
    latents = some_latents(150, 4, 8, 8)
    received = BitFlip(probability=0.02).send(latents, 0.0, streams(150)).latents
    step = quantise(latents, 8).step[:, None]
    cells = [((x.flatten(1) / step) + 128).floor().clamp(0, 255).long() for x in (latents.double(), received.double())]
    flipped = sum((cells[0] ^ cells[1]) >> place & 1 for place in range(8))
    assert flipped.double().mean().item() / 8 == pytest.approx(0.02, abs=0.0008)


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.5])
@pytest.mark.parametrize("spread", [1.0, 0.3])
def test_the_error_has_the_variance_that_the_receiver_is_told(probability: float, spread: float) -> None:
    """102,400 elements, uniform, or Gaussian with few near the ends: a standard error of 2 % at most."""
    generator = torch.Generator().manual_seed(0)
    uniform = 2 * torch.rand(400, 4, 8, 8, generator=generator) - 1
    latents = uniform if spread == 1.0 else spread * torch.randn(400, 4, 8, 8, generator=generator)
    received, variance, _, gain = BitFlip(probability, num_bits=6).send(latents, 0.0, streams(400))
    error = received - gain * latents
    assert error.square().mean().item() == pytest.approx(variance.mean(), rel=0.08)
    assert (error * latents).mean().item() == pytest.approx(0.0, abs=0.02 * variance.mean() ** 0.5)


def test_the_snr_has_no_effect_and_the_generators_have() -> None:
    latents, channel = some_latents(3, 4, 8, 8), BitFlip(probability=0.1)
    once, again, other = (
        channel.send(latents, snr_db, streams(3, seed)).latents for snr_db, seed in ((0.0, 1), (9.0, 1), (0.0, 2))
    )
    assert torch.equal(once, again)
    assert not torch.equal(once, other)


@pytest.mark.parametrize("probability", [-0.1, 0.6, float("nan"), True])
def test_bad_probabilities_are_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"probability of channel bit_flip must be a finite number in \[0, 0.5\]"):
        BitFlip(probability=probability)
