"""The noise schedule on a grid of T steps, and its extension to fractional timesteps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from envs.units import FloatArray

if TYPE_CHECKING:
    from diffusers import DDIMScheduler


@dataclass(frozen=True)
class Schedule:
    """Timesteps and alpha_bar of one shared schedule; both ends index the same one.

    Attributes:
        timesteps: float64 [T], descending, integers (the scheduler's).
        alphas_cumprod: float64 [num_train_timesteps].
        final_alpha_bar: alpha_bar after the last step (Stable Diffusion: that of timestep 0).
    """

    timesteps: FloatArray
    alphas_cumprod: FloatArray
    final_alpha_bar: float

    @classmethod
    def from_scheduler(cls, scheduler: DDIMScheduler, num_inference_steps: int) -> Schedule:
        """The schedule of a diffusers scheduler.

        Raises:
            ValueError: fewer than one step or more than the trained ones.
        """
        trained = scheduler.config.num_train_timesteps
        if not 1 <= num_inference_steps <= trained:
            raise ValueError(f"num_inference_steps must be in 1..{trained}, got {num_inference_steps}")
        scheduler.set_timesteps(num_inference_steps)
        timesteps = np.clip(scheduler.timesteps.cpu().numpy(), 0, trained - 1).astype(np.float64)
        alphas = scheduler.alphas_cumprod.double().cpu().numpy()
        return cls(timesteps, alphas, float(scheduler.final_alpha_cumprod))

    @property
    def num_inference_steps(self) -> int:
        """T."""
        return len(self.timesteps)

    @property
    def fingerprint(self) -> str:
        """A name of the schedule, which a latent on its way carries."""
        text = repr((self.timesteps.tolist(), self.alphas_cumprod.tolist(), self.final_alpha_bar))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def alpha_bar(self, t: ArrayLike) -> FloatArray:
        """alpha_bar at fractional timesteps, linear between the trained ones; exact at integers."""
        t = np.asarray(t, dtype=np.float64)
        low = np.clip(np.floor(t).astype(int), 0, len(self.alphas_cumprod) - 2)
        below, above = self.alphas_cumprod[low], self.alphas_cumprod[low + 1]
        weight = t - low
        return np.where(weight == 1, above, below + weight * (above - below))

    def timestep_of(self, alpha_bar: ArrayLike) -> FloatArray:
        """The fractional timestep with the given alpha_bar, clamped to the trained range."""
        grid = np.arange(len(self.alphas_cumprod), dtype=np.float64)
        return np.interp(np.asarray(alpha_bar, dtype=np.float64), self.alphas_cumprod[::-1], grid[::-1])

    def alpha_bars(self, grid: FloatArray) -> tuple[FloatArray, FloatArray]:
        """alpha_bar at and after every step of a grid.

        Args:
            grid: timesteps [..., K], descending.

        Returns:
            (alpha_bar [..., K], alpha_bar_prev [..., K]); the last step ends at `final_alpha_bar`.
        """
        here = self.alpha_bar(grid)
        final = np.full((*here.shape[:-1], 1), self.final_alpha_bar)
        return here, np.concatenate([here[..., 1:], final], axis=-1)

    def matched_timestep(self, split: int, variance: ArrayLike) -> FloatArray:
        """t* with alpha_bar(t*) = alpha_bar_t / (1 + sigma^2), t the timestep at which the receiver continues.

        Args:
            split: steps done, 0..T-1.
            variance: channel noise variance per real element, [B].

        Returns:
            [B], >= timesteps[split], clamped at the last trained timestep. Own derivation (SNR re-match).
        """
        alpha_bar = self.alpha_bar(self.timesteps[split])
        variance = np.asarray(variance, dtype=np.float64)
        return np.where(variance == 0, self.timesteps[split], self.timestep_of(alpha_bar / (1 + variance)))
