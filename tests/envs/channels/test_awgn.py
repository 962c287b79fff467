"""The AWGN channel against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.channels import awgn


@pytest.mark.parametrize("snr_db", [-20.0, -6.0, 0.0, 15.0])
def test_the_measured_snr_is_the_one_asked_for(snr_db: float) -> None:
    """409,600 values: the standard error of the measured SNR is 10 / ln 10 sqrt(2 / N) = 0.0096 dB."""
    generator = torch.Generator().manual_seed(1)
    latents = 3 * torch.randn(100, 4, 32, 32, generator=generator)
    noise = torch.randn(latents.shape, generator=generator)
    received, variance = awgn.send(latents, noise, np.full(100, snr_db))
    measured = 10 * torch.log10(latents.square().mean() / (received - latents).square().mean())
    assert measured.item() == pytest.approx(snr_db, abs=0.05)
    assert variance == pytest.approx(latents.square().mean(dim=(1, 2, 3)).numpy() * 10 ** (-snr_db / 10), rel=1e-5)


def test_pairing_reals_into_complex_symbols_keeps_the_ratio() -> None:
    """Es / N0 of the symbols equals P / sigma^2 of the reals: no stray factor of two (3 dB)."""
    generator = torch.Generator().manual_seed(2)
    latents = torch.randn(50, 4, 32, 32, generator=generator)
    received, _ = awgn.send(latents, torch.randn(latents.shape, generator=generator), np.full(50, 3.0))
    symbols, got = (torch.view_as_complex(x.reshape(-1, 2)) for x in (latents, received))
    es, n0 = symbols.abs().square().mean(), (got - symbols).abs().square().mean()
    assert 10 * torch.log10(es / n0).item() == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("snr_db", [float("nan"), float("inf"), -float("inf")])
def test_an_snr_that_is_not_finite_is_refused(snr_db: float) -> None:
    with pytest.raises(ValueError, match="snr_db must be finite"):
        awgn.send(torch.ones(1, 4, 8, 8), torch.ones(1, 4, 8, 8), np.array([snr_db]))
