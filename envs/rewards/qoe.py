"""Quality of experience: image quality, less latency and energy, as EUCI weighs them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs import checks
from envs.rewards.interface import Outcome, Reward
from envs.transceiver import PSNR_CAP_DB
from envs.units import FloatArray


def weighted_quality(
    psnr_db: ArrayLike, ssim: ArrayLike, mse: ArrayLike, psnr_weight: float, ssim_weight: float
) -> NDArray[np.float64]:
    """Image quality `phi PSNR + varphi SSIM - (1 - phi - varphi) MSE`; arrays broadcast.

    Source: EUCI, eq. 9.
    Deviation: PSNR counts as a share of 60 dB, the most that is measured; in decibels it would drown the other two,
    which lie in [-1, 1] and [0, 1].

    Args:
        psnr_db, ssim, mse: of an image with pixels in [0, 1], against the noise-free image of the request.
        psnr_weight, ssim_weight: phi and varphi.
    """
    psnr_share = np.asarray(psnr_db) / PSNR_CAP_DB
    rest = 1.0 - psnr_weight - ssim_weight
    return np.asarray(psnr_weight * psnr_share + ssim_weight * np.asarray(ssim) - rest * np.asarray(mse))


def objectives(outcome: Outcome, scales: QoE) -> dict[str, FloatArray]:
    """What EUCI's eq. 10 weighs, the larger the better: quality, and latency and energy as negative shares.

    A failed request delivers no image: its quality is 0. Its latency and energy count.

    Source: EUCI, eqs. 10 and 11.
    Deviation: latency and energy count as shares of the largest allowed ones (TL_max and TC_max of eq. 11) and not
    beyond them: the paper adds seconds, joules and decibels without scales.
    """
    quality = outcome.quality
    image = weighted_quality(
        quality["psnr_db"], quality["ssim"], quality["mse"], scales.psnr_weight, scales.ssim_weight
    )
    return {
        "quality": image * ~outcome.failed,
        "latency": -np.minimum(outcome.latency_s / scales.latency_max_s, 1.0),
        "energy": -np.minimum(outcome.energy_j / scales.energy_max_j, 1.0),
    }


@dataclass(frozen=True, kw_only=True)
class QoE(Reward):
    """`w_1 quality - w_2 latency - w_3 energy`, see `objectives`.

    Source: EUCI, eqs. 8 to 10. The paper gives no values for its weights: the defaults are ours.

    Attributes:
        quality_weight, latency_weight, energy_weight: w_1, w_2, w_3 >= 0, which sum to 1.
        psnr_weight, ssim_weight: phi, varphi >= 0, with phi + varphi < 1.
        latency_max_s: TL_max.
        energy_max_j: TC_max; the default is a 300 W device that is held for a minute.

    Raises:
        ValueError: weights out of their bounds, or a largest latency or energy that is not positive and finite.
    """

    quality_weight: float = 0.5
    latency_weight: float = 0.25
    energy_weight: float = 0.25
    psnr_weight: float = 0.4
    ssim_weight: float = 0.4
    latency_max_s: float = 60.0
    energy_max_j: float = 18_000.0

    names = ("quality", "latency", "energy")
    metrics = ("psnr_db", "ssim", "mse")

    def __post_init__(self) -> None:
        for field in fields(self):
            checks.number(field.name, getattr(self, field.name), 0.0)
        total = self.quality_weight + self.latency_weight + self.energy_weight
        if not math.isclose(total, 1.0, abs_tol=1e-9):
            raise ValueError(f"quality_weight, latency_weight and energy_weight must sum to 1, got {total:g}")
        if not self.psnr_weight + self.ssim_weight < 1.0:
            raise ValueError(f"psnr_weight + ssim_weight must be < 1, got {self.psnr_weight + self.ssim_weight:g}")
        for name in ("latency_max_s", "energy_max_j"):
            checks.number(name, getattr(self, name), above=0.0)

    @property
    def quality_bounds(self) -> tuple[float, float]:
        """Least and largest image quality: SSIM is at least -1, MSE at most 1."""
        return self.psnr_weight - 1.0, self.psnr_weight + self.ssim_weight

    @property
    def low(self) -> float:
        """The worst image, too late and for too much energy."""
        return self.quality_weight * self.quality_bounds[0] - self.latency_weight - self.energy_weight

    @property
    def high(self) -> float:
        """The noise-free image at once and for nothing."""
        return self.quality_weight * self.quality_bounds[1]

    def terms(self, outcome: Outcome) -> dict[str, FloatArray]:
        """The three weighted objectives."""
        weights = (self.quality_weight, self.latency_weight, self.energy_weight)
        parts = objectives(outcome, self).items()
        return {name: weight * value for weight, (name, value) in zip(weights, parts, strict=True)}
