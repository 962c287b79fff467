"""Reverse diffusion steps as short pure functions of alpha_bar and the channel noise.

All arguments broadcast; `z` is the latent, `eps` the predicted unit-variance noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def ddim_step(z: Tensor, eps: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor) -> Tensor:
    """Deterministic DDIM step (Song et al. 2021, eq. 12 with eta = 0): the noise-aware one without channel noise."""
    return noise_aware_step(z, eps, alpha_bar, alpha_bar_prev, 1 - alpha_bar, 1 - alpha_bar_prev)


def noise_aware_step(
    z: Tensor, eps: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor, v: Tensor, v_prev: Tensor
) -> Tensor:
    """Deterministic reverse step under channel noise: the right form of Proposition 1 with eta = 0.

    z0 = (z - sqrt(V_t) eps) / sqrt(alpha_bar_t),  z_prev = sqrt(alpha_bar_prev) z0 + sqrt(V_prev) eps.

    Args:
        v, v_prev: V_t = 1 - alpha_bar_t + sigma_t^2 before and after the step.

    Deviation: SemAIGC, eq. 8 subtracts a variance from a standard deviation; see `printed_step`.
    """
    z0 = (z - v.sqrt() * eps) / alpha_bar.sqrt()
    return alpha_bar_prev.sqrt() * z0 + v_prev.sqrt() * eps


def posterior_step(
    z: Tensor, eps: Tensor, noise: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor, v: Tensor, v_prev: Tensor
) -> Tensor:
    """Ancestral reverse step under channel noise: a draw from the right posterior of Proposition 1.

    z_{t-1} = (z_t - C eps) / sqrt(alpha_t) + sqrt(A_t V_{t-1} / V_t) eps',  C = A_t / sqrt(V_t),
    A_t = V_t - alpha_t V_{t-1} (which is 1 - alpha_t + g_t^2). Own derivation; without channel noise it is DDPM's.
    """
    alpha = alpha_bar / alpha_bar_prev
    a = v - alpha * v_prev
    return (z - a / v.sqrt() * eps) / alpha.sqrt() + posterior_std(alpha_bar, alpha_bar_prev, v, v_prev) * noise


def posterior_std(alpha_bar: Tensor, alpha_bar_prev: Tensor, v: Tensor, v_prev: Tensor) -> Tensor:
    """Standard deviation of the posterior, sqrt(A_t V_{t-1} / V_t)."""
    return ((v - alpha_bar / alpha_bar_prev * v_prev).clamp(min=0) * v_prev / v).sqrt()


def printed_step(
    z: Tensor, eps: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor, variance: Tensor, variance_prev: Tensor
) -> Tensor:
    """The mean of Proposition 1 as it is printed (SemAIGC, eq. 8), for comparison only.

    C = A_t (sqrt(1 - alpha_bar_t) - sigma_t^2) / V_t: at and below 0 dB this adds noise instead of removing it.

    Args:
        variance, variance_prev: sigma_t^2 before and after the step.
    """
    alpha = alpha_bar / alpha_bar_prev
    v, v_prev = 1 - alpha_bar + variance, 1 - alpha_bar_prev + variance_prev
    a = v - alpha * v_prev
    return (z - a * ((1 - alpha_bar).sqrt() - variance) / v * eps) / alpha.sqrt()


def guided(eps_unconditional: Tensor, eps_conditional: Tensor, guidance_scale: float) -> Tensor:
    """Classifier-free guidance (Ho and Salimans 2022, eq. 6 in the scale of Stable Diffusion)."""
    return eps_unconditional + guidance_scale * (eps_conditional - eps_unconditional)


PREDICTIONS = ("epsilon", "v_prediction", "sample")


def to_noise(prediction: str, output: Tensor, z: Tensor, alpha_bar: Tensor) -> Tensor:
    """The unit-variance noise in `z` that a network's output stands for.

    With z = sqrt(alpha_bar) z0 + sqrt(1 - alpha_bar) eps and v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) z0
    (Salimans and Ho 2022, appendix D): eps = sqrt(alpha_bar) v + sqrt(1 - alpha_bar) z. The guided prediction may be
    converted as it is, since eps is affine in the output.

    Args:
        prediction: "epsilon", "v_prediction" or "sample" (z0).
        output: of the network, [B, C, h, w].
        z: its input.
        alpha_bar: [B, 1, 1, 1], in (0, 1).

    Raises:
        ValueError: another prediction.
    """
    if prediction == "epsilon":
        return output
    if prediction == "v_prediction":
        return alpha_bar.sqrt() * output + (1 - alpha_bar).sqrt() * z
    if prediction == "sample":
        return (z - alpha_bar.sqrt() * output) / (1 - alpha_bar).sqrt()
    raise ValueError(f"prediction type must be one of {', '.join(PREDICTIONS)}, got {prediction!r}")
