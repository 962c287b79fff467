"""Latents as files: what is decoded, what it costs, and the noise that both ends expect."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from envs.costs.latent_codecs import latent_bits_per_element
from envs.plans.codecs import LATENT_CODECS
from envs.transceiver.codecs.latents import HEADER, latent_codec


def gaussian(count: int = 4, side: int = 64, scale: float = 1.3) -> torch.Tensor:
    return scale * torch.randn(count, 4, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", LATENT_CODECS)
def test_what_is_decoded_lies_in_the_cell_that_was_encoded(name: str) -> None:
    codec, latents = latent_codec(name), gaussian(3, 8)
    files = codec.encode(latents)
    received = codec.decode(files, latents)
    width = codec.width * latents.square().mean(dim=(1, 2, 3)).sqrt()
    assert received.latents.shape == latents.shape
    assert bool(((received.latents - latents).abs() <= width[:, None, None, None] / 2 + 1e-5).all())
    assert codec.encode(latents) == files
    assert codec.decode(files[1:2], latents[1:2]).latents.equal(received.latents[1:2])  # each file stands alone


@pytest.mark.parametrize("name", LATENT_CODECS)
def test_gain_and_noise_are_what_the_files_have(name: str) -> None:
    codec, latents = latent_codec(name), gaussian()
    received = codec.decode(codec.encode(latents), latents)
    noise = received.latents.double() - float(np.mean(received.gain)) * latents.double()
    power = float(latents.double().square().mean())
    assert float(noise.square().mean()) == pytest.approx(received.noise_variance.mean(), rel=0.03)
    assert float((noise * latents).mean()) / power == pytest.approx(0.0, abs=4e-3)


@pytest.mark.parametrize("name", ["u3", "u4", "u6", "u8"])
def test_an_element_costs_its_entropy(name: str) -> None:
    """Differential entropy of a Gaussian less the logarithm of the cell's width; prices read about the same."""
    codec = latent_codec(name)
    entropy = math.log2(math.sqrt(2 * math.pi * math.e) / codec.width)
    assert codec.bits_per_element(gaussian()) == pytest.approx(entropy, abs=0.08)
    assert latent_bits_per_element(name, 0.6) == pytest.approx(entropy, abs=0.08)
    (file,) = codec.encode(gaussian(1))
    assert 8 * (len(file) - HEADER.size) == pytest.approx(16_384 * entropy, rel=0.03)


def test_half_of_todays_bits_are_four_bits_an_element() -> None:
    assert latent_bits_per_element("u4", 12 / 20) < 4 < latent_bits_per_element("u5", 12 / 20) < 8


def test_far_elements_and_empty_latents_survive() -> None:
    latents = torch.zeros(2, 4, 8, 8)
    latents[1] = gaussian(1, 8)[0]
    latents[1, 0, 0, 0] = 8.0
    received = latent_codec("u4").decode(latent_codec("u4").encode(latents), latents)
    assert received.latents[0].abs().max() == 0
    assert received.noise_variance[0] == 0
    assert received.latents[1, 0, 0, 0].item() == pytest.approx(8.0, abs=0.4)


def test_no_such_codec_and_no_such_file() -> None:
    with pytest.raises(ValueError, match=r"unknown codec of latents 'u9'; allowed: u2, .* u8"):
        latent_codec("u9")
    latents = gaussian(2, 8)
    for files in ([b"1234"], [b"1234", b"12"], [b"1234", b"12345"]):
        with pytest.raises(ValueError, match="give a file of a latent for each of 2"):
            latent_codec("u4").decode(files, latents)
