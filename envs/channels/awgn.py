"""Additive white Gaussian noise on analogue latent symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from envs.units import FloatArray, db_to_linear

if TYPE_CHECKING:
    from torch import Tensor


def check_snr_db(snr_db: FloatArray) -> None:
    """Refuse NaN and infinite SNRs with a ValueError."""
    if not np.isfinite(snr_db).all():
        raise ValueError(f"snr_db must be finite (None is a perfect link), got {snr_db}")


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


def send(latents: Tensor, unit_noise: Tensor, snr_db: FloatArray) -> tuple[Tensor, FloatArray]:
    """Send latents over the channel.

    Args:
        latents: [B, C, H, W].
        unit_noise: standard normal, same shape.
        snr_db: float64 [B].

    Returns:
        (received latents [B, C, H, W] as the channel gave them, noise variance per real element float64 [B]).

    Raises:
        ValueError: an SNR that is not finite.
    """
    check_snr_db(snr_db)
    power = latents.double().square().mean(dim=(1, 2, 3)).cpu().numpy()
    variance = noise_variance(power, np.asarray(snr_db, dtype=np.float64))
    std = latents.new_tensor(np.sqrt(variance))
    return latents + std[:, None, None, None] * unit_noise, variance
