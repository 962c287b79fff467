from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from envs.scenario.processes import FEW, normal_to_uniform


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 200_000])
def test_it_is_scipys_distribution_function(size: int) -> None:
    z = np.random.default_rng(size).standard_normal(size) * 2.0
    np.testing.assert_allclose(normal_to_uniform(z), ndtr(z), rtol=0.0, atol=2.0**-52)


@pytest.mark.parametrize("size", [8, 2 * FEW])
def test_ranges_are_broadcast(size: int) -> None:
    z = np.random.default_rng(0).standard_normal((3, size))
    low, span = np.array([[-6.0], [0.0], [5.0]]), np.array([[21.0], [1.0], [0.0]])
    np.testing.assert_allclose(normal_to_uniform(z, low, span), low + span * ndtr(z), rtol=0.0, atol=21 * 2.0**-51)


@pytest.mark.parametrize("times", [1, FEW])
def test_extremes_stay_within_the_range(times: int) -> None:
    z = np.tile([0.0, -0.0, 1e-300, 8.0, -8.0, 40.0, -40.0], (2, times))
    value = normal_to_uniform(z)
    np.testing.assert_allclose(value, ndtr(z), rtol=0.0, atol=2.0**-52)
    assert value.shape == z.shape
    assert (value.min(), value.max()) == (0.0, 1.0)
    low, span = np.log(0.3e6), np.log(20e6) - np.log(0.3e6)
    scaled = normal_to_uniform(z, low, span)
    assert scaled.min() == pytest.approx(low, abs=1e-14)
    assert scaled.max() == pytest.approx(low + span, abs=1e-14)


@pytest.mark.parametrize("size", [8, 2 * FEW])
def test_its_argument_is_left_alone(size: int) -> None:
    z = np.linspace(-3.0, 3.0, size)
    before = z.copy()
    normal_to_uniform(z, 1.0, 2.0)
    np.testing.assert_array_equal(z, before)


def test_a_value_does_not_depend_on_its_place_among_many() -> None:
    z = np.random.default_rng(0).standard_normal(40_000)
    whole = normal_to_uniform(z)
    for start in range(1, 9):  # other alignments in memory, other slices
        np.testing.assert_array_equal(normal_to_uniform(z[start:]), whole[start:])
