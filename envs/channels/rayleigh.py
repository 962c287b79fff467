"""Rayleigh block fading on analogue latent symbols: one complex gain for the whole latent.

A latent of Stable Diffusion is 8,192 symbols, 0.4 ms at 20 MHz: shorter than the channel's coherence time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from envs.channels.awgn import mean_power, noise_variance
from envs.channels.channel import Channel, Received
from envs.checks import choice, integer
from envs.units import FloatArray

Gain = Literal["perfect", "estimated"]
Equaliser = Literal["zero_forcing", "mmse"]


@dataclass(frozen=True)
class Rayleigh(Channel):
    """Symbols `y = h x + n` with h ~ CN(0, 1), equalised at the far end; `snr_db` is the mean over h.

    Attributes:
        gain: whether the far end knows h, or estimates it from pilots.
        equaliser: `zero_forcing` divides by the gain, which leaves the latent unscaled; `mmse` also shrinks it, to the
            smallest mean squared error. A receiver that matches the noise undoes that and sees no difference; to one
            that ignores it, the smaller error is worth 2 dB at 0 dB.
        pilots: pilot symbols, of the latent's power, that an estimate is made from.

    Raises:
        ValueError: a value that is not allowed.
    """

    name: ClassVar[str] = "rayleigh"

    gain: Gain = "perfect"
    equaliser: Equaliser = "zero_forcing"
    pilots: int = 4

    def __post_init__(self) -> None:
        for name, kind in (("gain", Gain), ("equaliser", Equaliser)):
            choice(f"{name} of channel rayleigh", getattr(self, name), get_args(kind))
        integer("pilots of channel rayleigh", self.pilots, 1)

    def _send(self, latents: Tensor, snr_db: FloatArray, generators: Sequence[torch.Generator]) -> Received:
        power = mean_power(latents)
        variance = noise_variance(power, snr_db)
        symbols = _to_symbols(latents)
        drawn = [
            torch.randn(2 + symbols.shape[1], dtype=torch.complex64, generator=generator) for generator in generators
        ]
        unit = torch.stack(drawn).to(symbols)
        gain, pilot_noise, noise = unit[:, 0], unit[:, 1], unit[:, 2:]
        # A complex symbol has the power of two reals, and so has its noise.
        received = gain[:, None] * symbols + _column((2 * variance) ** 0.5, latents) * noise
        known, uncertainty = gain, np.zeros(len(latents))
        if self.gain == "estimated":
            pilot_variance = variance / power / self.pilots
            known = estimated_gain(gain, pilot_noise, latents.new_tensor(pilot_variance))
            uncertainty = estimation_variance(pilot_variance)
        known_power = known.abs().double().square().cpu().numpy()
        error = equalised_variance(variance + power * uncertainty, known_power)
        equalised = received / known[:, None]
        shrink = mmse_shrink(error, power) if self.equaliser == "mmse" else np.ones(len(latents))
        equalised = _column(shrink, latents) * equalised
        channel_uses = symbols.shape[1] + (self.pilots if self.gain == "estimated" else 0)
        uses = np.full(len(latents), float(channel_uses))
        return Received(_to_latents(equalised, latents), shrink**2 * error, uses, shrink)


def estimated_gain(gain: Tensor, pilot_noise: Tensor, pilot_variance: Tensor) -> Tensor:
    """Linear MMSE estimate of h from the mean of the pilots, `(h + e) / (1 + var e)`.

    Args:
        gain, pilot_noise: h and unit noise, complex [B].
        pilot_variance: variance of e, noise over energy of all pilots, [B].
    """
    return (gain + pilot_variance.sqrt() * pilot_noise) / (1 + pilot_variance)


def estimation_variance(pilot_variance: FloatArray) -> FloatArray:
    """Variance of h about its linear MMSE estimate, which does not depend on the estimate: `v / (1 + v)`."""
    return pilot_variance / (1 + pilot_variance)


def equalised_variance(variance: FloatArray, gain_power: FloatArray) -> FloatArray:
    """Noise variance per real element after division by a gain of power |h|^2."""
    return variance / gain_power


def mmse_shrink(error: FloatArray, power: FloatArray) -> FloatArray:
    """Factor that makes a zero-forced symbol its linear MMSE estimate.

    The mean squared error, bias included, becomes the same factor times `error`.

    Args:
        error: variance per real element after zero forcing, [B].
        power: of the latent, per real element, [B].
    """
    return power / (power + error)


def _to_symbols(latents: Tensor) -> Tensor:
    if latents[0].numel() % 2:
        raise ValueError(f"latents of shape {list(latents.shape[1:])} do not pair into complex symbols")
    return torch.view_as_complex(latents.reshape(len(latents), -1, 2).contiguous())


def _to_latents(symbols: Tensor, like: Tensor) -> Tensor:
    return torch.view_as_real(symbols).reshape(like.shape).to(like)


def _column(values: FloatArray, like: Tensor) -> Tensor:
    return like.new_tensor(values)[:, None]
