"""Rayleigh block fading against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.channels.rayleigh import Rayleigh
from envs.transceiver.items import Latent

from .streams import some_latents, streams

COUNT = 600
LATENTS = 2 * some_latents(COUNT, 4, 4, 4)


@pytest.mark.parametrize("gain", ["perfect", "estimated"])
@pytest.mark.parametrize("equaliser", ["zero_forcing", "mmse"])
@pytest.mark.parametrize("snr_db", [-6.0, 12.0])
def test_the_error_has_the_variance_that_the_receiver_is_told(gain: str, equaliser: str, snr_db: float) -> None:
    """Mean of error over variance is 1; its standard error is 0.007 with a known gain, below 0.02 with an estimate."""
    channel = Rayleigh(gain=gain, equaliser=equaliser, pilots=2)  # type: ignore[arg-type]
    received, variance, _, shrink = channel.send(LATENTS, snr_db, streams(COUNT))
    error = received.double() - torch.as_tensor(shrink)[:, None, None, None] * LATENTS
    assert (error.square().mean(dim=(1, 2, 3)).numpy() / variance).mean() == pytest.approx(1.0, abs=0.06)


def test_the_gain_is_rayleigh_distributed() -> None:
    """P(|h|^2 < x) = 1 - exp(-x); three standard errors of a share of 2,000 are at most 0.034."""
    latents = some_latents(2000, 1, 1, 2)
    variance = Rayleigh().send(latents, 0.0, streams(2000)).noise_variance
    gain_power = latents.square().mean(dim=(1, 2, 3)).double().numpy() / variance
    for x in (0.1, 0.7, 1.5):
        assert (gain_power < x).mean() == pytest.approx(1 - np.exp(-x), abs=0.034)


def test_a_request_meets_the_same_gain_at_every_snr() -> None:
    low, high = (Rayleigh().send(LATENTS, snr_db, streams(COUNT)).noise_variance for snr_db in (0.0, 10.0))
    assert low / high == pytest.approx(np.full(COUNT, 10.0))


def test_minimum_mean_squared_error_is_below_zero_forcing() -> None:
    forced, least = (
        Rayleigh(equaliser=name).send(LATENTS, 0.0, streams(COUNT))  # type: ignore[arg-type]
        for name in ("zero_forcing", "mmse")
    )
    power = LATENTS.double().square().mean(dim=(1, 2, 3)).numpy()
    squared_error = (1 - least.gain) ** 2 * power + least.noise_variance
    assert squared_error == pytest.approx(1 / (1 / forced.noise_variance + 1 / power))
    assert (least.latents - LATENTS).square().mean() < (forced.latents - LATENTS).square().mean()


def test_what_an_equaliser_shrinks_a_receiver_can_undo() -> None:
    forced, least = (
        Rayleigh(equaliser=name).send(LATENTS, 0.0, streams(COUNT))  # type: ignore[arg-type]
        for name in ("zero_forcing", "mmse")
    )
    values, variance = Latent(least.latents, 3, least.noise_variance, "schedule", gain=least.gain).unbiased
    torch.testing.assert_close(values, forced.latents, rtol=1e-4, atol=1e-5)
    assert variance == pytest.approx(forced.noise_variance)
    assert np.all(least.gain < 1)


def test_more_pilots_come_nearer_to_the_known_gain() -> None:
    known = Rayleigh().send(LATENTS, 0.0, streams(COUNT))
    few, many = (Rayleigh(gain="estimated", pilots=count).send(LATENTS, 0.0, streams(COUNT)) for count in (1, 4096))
    assert many.latents.sub(known.latents).abs().median() < 0.05 * few.latents.sub(known.latents).abs().median()
    assert np.all(few.channel_uses - known.channel_uses == 1)


def test_the_same_generators_give_the_same_bits_and_others_do_not() -> None:
    once, again, other = (Rayleigh().send(LATENTS, 0.0, streams(COUNT, seed)).latents for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.allclose(Rayleigh().send(LATENTS[7:8], 0.0, streams(8)[7:]).latents, once[7:8], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gain": "guessed"}, "unknown gain of channel rayleigh 'guessed'; allowed: perfect, estimated"),
        ({"equaliser": "none"}, "unknown equaliser of channel rayleigh 'none'; allowed: zero_forcing, mmse"),
        ({"pilots": 0}, "pilots of channel rayleigh must be an integer >= 1, got 0"),
    ],
)
def test_bad_parameters_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rayleigh(**change)


def test_an_odd_number_of_elements_does_not_pair() -> None:
    with pytest.raises(ValueError, match=r"\[1, 1, 3\] do not pair into complex symbols"):
        Rayleigh().send(torch.ones(1, 1, 1, 3), 0.0, streams(1))
