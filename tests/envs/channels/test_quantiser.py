"""The quantiser: bits and back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from envs.channels import make_channel
from envs.channels.quantiser import dequantise, quantisation_variance, quantise

from .streams import some_latents


@given(st.integers(1, 16), st.floats(1e-3, 1e3), st.integers(0, 99))
def test_an_element_comes_back_within_half_a_cell(num_bits: int, scale: float, seed: int) -> None:
    latents = scale * some_latents(3, 2, 2, 2, seed=seed)
    quantised = quantise(latents, num_bits)
    error = (dequantise(quantised, num_bits, latents) - latents).abs().double().amax(dim=(1, 2, 3))
    assert quantised.bits.shape == (3, 8 * num_bits)
    assert torch.all(error <= quantised.step * 0.51)


def test_the_error_of_a_uniform_quantiser() -> None:
    """12,800 elements: the standard error of the variance is 0.9 %."""
    latents = torch.rand(50, 4, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    quantised = quantise(latents, 6)
    error = (dequantise(quantised, 6, latents) - latents).square().mean()
    assert error.item() == pytest.approx(quantisation_variance(quantised.step).mean(), rel=0.04)


def test_more_bits_are_nearer() -> None:
    latents = some_latents(4, 4, 8, 8)
    errors = [(dequantise(quantise(latents, n), n, latents) - latents).square().mean().item() for n in (2, 4, 8)]
    assert errors == sorted(errors, reverse=True)


def test_zeros_stay_zeros() -> None:
    zeros = torch.zeros(1, 4, 2, 2)
    assert torch.equal(dequantise(quantise(zeros, 8), 8, zeros), zeros)


@pytest.mark.parametrize("num_bits", [0, 17, 2.5, True])
def test_bad_numbers_of_bits(num_bits: int) -> None:
    with pytest.raises(ValueError, match=r"num_bits of channel bit_flip must be an integer in 1\.\.16"):
        make_channel({"name": "bit_flip", "num_bits": num_bits})
