"""Image quality: MSE, PSNR and SSIM against a reference image, and the Frechet distance of two sets."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.transceiver.profile.table import PSNR_CAP_DB
from envs.units import linear_to_db

SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03


def mse(images: Tensor, reference: Tensor) -> Tensor:
    """Mean squared error, [B], of images [B, 3, H, W] in [0, 1]."""
    return (images - reference).square().mean(dim=(1, 2, 3))


def psnr_db(images: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1, [B], capped at PSNR_CAP_DB (equal images)."""
    floor = 10 ** (-PSNR_CAP_DB / 10)
    error = mse(images, reference).clamp(min=floor).double().cpu().numpy()
    return torch.from_numpy(np.asarray(-linear_to_db(error))).float()


def ssim(images: Tensor, reference: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004, eq. 13), [B]: Gaussian window of 11, mean over the inner pixels.

    The window is applied as two banded matrix products, which is several times faster than a convolution
    and agrees with scikit-image's `structural_similarity(gaussian_weights=True, use_sample_covariance=False)`.
    """
    rows, columns = _window(images.shape[2]), _window(images.shape[3])

    def smooth(x: Tensor) -> Tensor:
        return rows.to(x) @ x @ columns.to(x).T

    x, y = images.double(), reference.double()
    mean_x, mean_y = smooth(x), smooth(y)
    var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    covariance = smooth(x * y) - mean_x * mean_y
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).mean(dim=(1, 2, 3)).float()


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """Frechet distance of two sets of features [N, F] and [M, F] under Gaussian fits (Heusel et al. 2017, eq. 6).

    With centred rows X and Y the covariances are X'X and Y'Y (up to N - 1 and M - 1), and the trace of the root of
    their product is the sum of the singular values of X Y': no matrix root, and no trouble with fewer rows than
    features. Own derivation.

    Raises:
        ValueError: fewer than two rows in a set.
    """
    a, b = features.double().cpu().numpy(), reference.double().cpu().numpy()
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a Gaussian fit needs two rows or more, got {len(a)} and {len(b)}")
    x, y = (rows - rows.mean(axis=0) for rows in (a, b))
    spread = np.sum(x * x) / (len(a) - 1) + np.sum(y * y) / (len(b) - 1)
    # At most [F, F], with the same covariances.
    small_x, small_y = (np.asarray(np.linalg.qr(rows, mode="r")) for rows in (x, y))
    cross = np.linalg.svdvals(small_x @ small_y.T).sum() / np.sqrt((len(a) - 1) * (len(b) - 1))
    return float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + spread - 2 * cross)


def metrics_against(images: Tensor, reference: Tensor) -> dict[str, NDArray[np.float64]]:
    """PSNR in dB, SSIM and MSE of images [B, 3, H, W] in [0, 1] against reference ones: metric -> float64 [B]."""
    metrics = {"psnr_db": psnr_db, "ssim": ssim, "mse": mse}
    return {name: metric(images, reference).double().cpu().numpy() for name, metric in metrics.items()}


@lru_cache(maxsize=4)
def _window(size: int) -> Tensor:
    """Gaussian filter over the positions where the window fits, [size - 10, size]."""
    offsets = torch.arange(SSIM_WINDOW, dtype=torch.float64) - SSIM_WINDOW // 2
    taps = torch.exp(-0.5 * (offsets / SSIM_SIGMA) ** 2)
    matrix = torch.zeros(size - SSIM_WINDOW + 1, size, dtype=torch.float64)
    for row in range(len(matrix)):
        matrix[row, row : row + SSIM_WINDOW] = taps / taps.sum()
    return matrix
