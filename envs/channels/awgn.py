"""Additive white Gaussian noise on analogue latent symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from envs.channels.channel import Channel, Received
from envs.channels.noise import unit_noise
from envs.units import FloatArray, db_to_linear


@dataclass(frozen=True)
class Awgn(Channel):
    """Every pair of latent elements is a complex symbol; noise of the asked SNR is added to it."""

    name: ClassVar[str] = "awgn"

    def _send(self, latents: Tensor, snr_db: FloatArray, generators: Sequence[torch.Generator]) -> Received:
        variance = noise_variance(mean_power(latents), snr_db)
        std = latents.new_tensor(np.sqrt(variance))
        received = latents + std[:, None, None, None] * unit_noise(generators, latents)
        return Received(received, variance, np.full(len(latents), latents[0].numel() / 2))


def mean_power(latents: Tensor) -> FloatArray:
    """Measured mean square of each latent, float64 [B]."""
    power: FloatArray = latents.double().square().mean(dim=(1, 2, 3)).cpu().numpy()
    return power


def noise_variance(power: FloatArray, snr_db: FloatArray) -> FloatArray:
    """Noise variance per real element, sigma^2 = P 10^(-snr_db / 10).

    Pairing reals into complex symbols leaves the ratio unchanged: symbol energy 2 P over noise 2 sigma^2.

    Args:
        power: measured mean square of what is sent, float64 [B].
        snr_db: SNR in dB, float64 [B].

    Returns:
        float64 [B]. Own derivation from SemAIGC, eq. 5 with h = 1.
    """
    return power / db_to_linear(snr_db)
