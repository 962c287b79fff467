"""The metrics against scikit-image and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from envs.transceiver.profile import image_metrics


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    one = torch.rand(4, 3, 64, 64, generator=generator)
    return one, (one + 0.1 * torch.randn(one.shape, generator=generator)).clamp(0, 1)


def test_ssim_is_scikit_images(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    one, other = pair
    got = image_metrics.ssim(one, other).numpy()
    for row in range(len(one)):
        expected = structural_similarity(
            one[row].double().numpy(),
            other[row].double().numpy(),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=0,
        )
        assert got[row] == pytest.approx(expected, abs=1e-6)


def test_psnr_of_a_known_error() -> None:
    reference = torch.full((1, 3, 8, 8), 0.5)
    assert image_metrics.psnr_db(reference + 0.1, reference).item() == pytest.approx(20.0, abs=1e-4)
    assert image_metrics.mse(reference + 0.1, reference).item() == pytest.approx(0.01, abs=1e-6)


def test_equal_images_are_capped() -> None:
    images = torch.rand(2, 3, 16, 16)
    assert image_metrics.psnr_db(images, images).tolist() == [image_metrics.PSNR_CAP_DB] * 2
    assert image_metrics.ssim(images, images).tolist() == pytest.approx([1.0, 1.0])


def test_frechet_distance_of_shifted_gaussians() -> None:
    """Two normal sets a distance of 2 apart: 4, within sampling error of 20,000 draws."""
    rng = np.random.default_rng(0)
    one = torch.from_numpy(rng.normal(size=(20_000, 3)))
    other = torch.from_numpy(rng.normal(size=(20_000, 3))) + torch.tensor([2.0, 0, 0])
    assert image_metrics.frechet_distance(one, other) == pytest.approx(4.0, abs=0.1)
    assert image_metrics.frechet_distance(one, one) == pytest.approx(0.0, abs=1e-6)


def test_frechet_distance_agrees_with_the_matrix_root() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(40, 6)) + 0.5
    covariances = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((one.mean(0) - other.mean(0)) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    got = image_metrics.frechet_distance(torch.from_numpy(one), torch.from_numpy(other))
    assert got == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_fewer_rows_than_features() -> None:
    """Two sets in one dimension of many: the distance of the two normals, (m1 - m2)^2 + (s1 - s2)^2."""
    rows = torch.zeros(5, 30, dtype=torch.float64)
    rows[:, 3] = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
    wider = rows * 3 + torch.eye(30, dtype=torch.float64)[3]
    std = rows[:, 3].std().item()
    assert image_metrics.frechet_distance(rows, wider) == pytest.approx(1.0 + (2 * std) ** 2, rel=1e-9)
    assert image_metrics.frechet_distance(rows, rows) == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match="two rows or more"):
        image_metrics.frechet_distance(rows[:1], rows)


def test_image_quality_is_the_three_metrics() -> None:
    images, reference = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    values = image_metrics.metrics_against(images, reference)
    assert values.keys() == {"psnr_db", "ssim", "mse"}
    assert values["mse"] == pytest.approx(image_metrics.mse(images, reference).numpy())
