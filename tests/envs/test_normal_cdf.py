from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from envs.normal_cdf import FEW, normal_cdf

ROOT_OF_2 = np.sqrt(2.0)


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 200_000])
def test_it_is_scipys(size: int) -> None:
    """Within one unit in the last place everywhere, which a compiler's fused operations may change."""
    z = np.random.default_rng(size).standard_normal(size) * 2.0
    np.testing.assert_array_max_ulp(normal_cdf(z), ndtr(z), maxulp=1)


def test_many_values_at_the_ends_of_its_pieces() -> None:
    around = np.nextafter(ROOT_OF_2, [0.0, 9.0])
    z = np.tile([0.0, -0.0, *around, *-around, 40.0, -40.0, 1e-300], (2, FEW))
    np.testing.assert_array_max_ulp(normal_cdf(z), ndtr(z), maxulp=1)
    assert normal_cdf(z).shape == z.shape
