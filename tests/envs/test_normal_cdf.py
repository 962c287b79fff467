from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from envs.normal_cdf import FEW, normal_cdf


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 200_000])
def test_it_is_scipys(size: int) -> None:
    z = np.random.default_rng(size).standard_normal(size) * 2.0
    np.testing.assert_allclose(normal_cdf(z), ndtr(z), rtol=0.0, atol=2.0**-52)


def test_extremes_of_many_values() -> None:
    z = np.tile([0.0, -0.0, 1e-300, 8.0, -8.0, 40.0, -40.0], (2, FEW))
    value = normal_cdf(z)
    np.testing.assert_allclose(value, ndtr(z), rtol=0.0, atol=2.0**-52)
    assert value.shape == z.shape
    assert value.min() == 0.0
    assert value.max() == 1.0


@pytest.mark.parametrize("size", [8, 2 * FEW])
def test_its_argument_is_left_alone(size: int) -> None:
    z = np.linspace(-3.0, 3.0, size)
    before = z.copy()
    normal_cdf(z)
    np.testing.assert_array_equal(z, before)
