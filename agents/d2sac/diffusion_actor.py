"""The diffusion actor: action logits, denoised in a few steps from Gaussian noise under the condition of the state.

Source: Du et al., "Diffusion-based Reinforcement Learning for Edge-enabled AI-Generated Content Services", IEEE
Transactions on Mobile Computing (2024); the chain is that of Ho et al., "Denoising Diffusion Probabilistic Models"
(2020). With `alpha_t = 1 - beta_t` and `alpha_bar_t` their product, step t of the reverse process is

    x_{t-1} = mean(x_t, noise) + sqrt(variance_t) n,   n of unit variance, none in the last step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch as th
from stable_baselines3.common.torch_layers import create_mlp
from torch import nn

from envs import checks

TIME_FEATURES = 16


def variance_preserving_betas(num_steps: int, beta_min: float = 0.1, beta_max: float = 10.0) -> th.Tensor:
    """Noise variances `beta_t = 1 - exp(-beta_min / T - (2 t - 1) (beta_max - beta_min) / (2 T^2))`, float64 [T].

    However many steps there are, their `alpha_bar_T` is `exp(-(beta_min + beta_max) / 2)`.

    Source: Du et al. (2024), the variance-preserving schedule of Song et al. (2021), in T steps.

    Raises:
        ValueError: fewer than one step.
    """
    checks.integer("num_denoising_steps", num_steps, 1)
    t = th.arange(1, num_steps + 1, dtype=th.float64)
    return -th.expm1(-beta_min / num_steps - (2 * t - 1) * (beta_max - beta_min) / (2 * num_steps**2))


def reverse_mean(x: th.Tensor, noise: th.Tensor, beta: float | th.Tensor, alpha_bar: float | th.Tensor) -> th.Tensor:
    """Mean of `x_{t-1}` given `x_t` and its noise: `(x - beta noise / sqrt(1 - alpha_bar)) / sqrt(1 - beta)`.

    It is the mean of the posterior q(x_{t-1} | x_t, x_0) at the `x_0` that this noise implies.

    Source: Ho et al. (2020), eq. 11; Du et al. (2024).
    """
    return (x - beta / (1 - alpha_bar) ** 0.5 * noise) / (1 - beta) ** 0.5


def posterior_variances(betas: th.Tensor) -> th.Tensor:
    """Variances [T] of q(x_{t-1} | x_t, x_0): `beta_t (1 - alpha_bar_{t-1}) / (1 - alpha_bar_t)`, and 0 at t = 1.

    Source: Ho et al. (2020), eq. 7; Du et al. (2024).
    """
    alpha_bars = (1 - betas).cumprod(0)
    before = th.cat([alpha_bars.new_ones(1), alpha_bars[:-1]])
    return betas * (1 - before) / (1 - alpha_bars)


def time_embedding(num_steps: int, size: int = TIME_FEATURES) -> th.Tensor:
    """Sines and cosines of the step index at geometric frequencies, float32 [T, size]; Vaswani et al. (2017)."""
    frequencies = th.exp(-math.log(10_000) / (size // 2 - 1) * th.arange(size // 2))
    angles = th.arange(num_steps)[:, None] * frequencies
    return th.cat([angles.sin(), angles.cos()], dim=1)


class DiffusionActor(nn.Module):
    """Logits of a categorical policy by T denoising steps.

    A multilayer perceptron sees the noisy logits, the step and the state, and predicts the noise, bounded by tanh.

    Args:
        features_dim: F, length of the state's features.
        num_actions: A.
        num_denoising_steps: T.
        net_arch: widths of the hidden layers.
        activation_fn: of the hidden layers.
        temperature: divides what the chain ends with; 1 is the paper's.

    Raises:
        ValueError: fewer than one step, or a temperature that is not positive.
    """

    def __init__(
        self,
        features_dim: int,
        num_actions: int,
        num_denoising_steps: int,
        net_arch: Sequence[int],
        activation_fn: type[nn.Module] = nn.Mish,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        checks.number("temperature", temperature, above=0)
        self.num_actions, self.temperature = num_actions, temperature
        betas = variance_preserving_betas(num_denoising_steps)
        self._schedule = list(
            zip(
                betas.tolist(), (1 - betas).cumprod(0).tolist(), posterior_variances(betas).sqrt().tolist(), strict=True
            )
        )
        self.register_buffer("embedding", time_embedding(num_denoising_steps), persistent=False)
        self.time_net = nn.Sequential(*create_mlp(TIME_FEATURES, TIME_FEATURES, [2 * TIME_FEATURES], activation_fn))
        inputs = num_actions + TIME_FEATURES + features_dim
        self.noise_net = nn.Sequential(
            *create_mlp(inputs, num_actions, list(net_arch), activation_fn, squash_output=True)
        )

    def forward(self, features: th.Tensor, deterministic: bool = False) -> th.Tensor:
        """Logits, float [B, A], of states, float [B, F].

        Args:
            features: the states.
            deterministic: start from zero, the mean of the noise, and add none on the way. Otherwise the noise comes
                from torch's global generator, as in stable-baselines3's other actors.
        """
        shape = (len(features), self.num_actions)
        x = features.new_zeros(shape) if deterministic else th.randn(shape, device=features.device)
        times = self.time_net(self.embedding).unbind()
        for (beta, alpha_bar, deviation), time in reversed(list(zip(self._schedule, times, strict=True))):
            noise = self.noise_net(th.cat([x, time.expand(len(x), -1), features], dim=1))
            x = reverse_mean(x, noise, beta, alpha_bar)
            if deviation > 0 and not deterministic:
                x = x + deviation * th.randn_like(x)
        return x / self.temperature
