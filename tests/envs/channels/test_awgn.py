"""The AWGN channel against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.channels.awgn import Awgn

from .streams import some_latents, streams


@pytest.mark.parametrize("snr_db", [-20.0, -6.0, 0.0, 15.0])
def test_the_measured_snr_is_the_one_asked_for(snr_db: float) -> None:
    """409,600 values: the standard error of the measured SNR is 10 / ln 10 sqrt(2 / N) = 0.0096 dB."""
    latents = 3 * some_latents(100, 4, 32, 32)
    received, variance, _ = Awgn().send(latents, snr_db, streams(100))[:3]
    measured = 10 * torch.log10(latents.square().mean() / (received - latents).square().mean())
    assert measured.item() == pytest.approx(snr_db, abs=0.05)
    assert variance == pytest.approx(latents.square().mean(dim=(1, 2, 3)).numpy() * 10 ** (-snr_db / 10), rel=1e-5)


def test_pairing_reals_into_complex_symbols_keeps_the_ratio() -> None:
    """Es / N0 of the symbols equals P / sigma^2 of the reals: no stray factor of two (3 dB)."""
    latents = some_latents(50, 4, 32, 32)
    received, _, channel_uses = Awgn().send(latents, 3.0, streams(50))[:3]
    symbols, got = (torch.view_as_complex(x.reshape(50, -1, 2)) for x in (latents, received))
    es, n0 = symbols.abs().square().mean(), (got - symbols).abs().square().mean()
    assert 10 * torch.log10(es / n0).item() == pytest.approx(3.0, abs=0.05)
    assert np.all(channel_uses == symbols.shape[1])


def test_the_noise_follows_the_generators_alone() -> None:
    latents = some_latents(3, 4, 8, 8)
    received = Awgn().send(latents, 0.0, streams(3)).latents
    assert torch.equal(received, Awgn().send(latents, 0.0, streams(3)).latents)
    assert torch.equal(received[1:2], Awgn().send(latents[1:2], 0.0, streams(3)[1:2]).latents)
    assert not torch.equal(received, Awgn().send(latents, 0.0, streams(3, seed=2)).latents)
