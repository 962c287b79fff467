from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import units


@pytest.mark.parametrize(("db", "linear"), [(0.0, 1.0), (10.0, 10.0), (-20.0, 0.01), (3.0, 1.9952623149688795)])
def test_decibels_are_ten_times_the_logarithm(db: float, linear: float) -> None:
    assert units.db_to_linear(db) == pytest.approx(linear)
    assert units.linear_to_db(linear) == pytest.approx(db)


@given(st.floats(-200.0, 200.0))
def test_floats_and_arrays_agree_and_invert(db: float) -> None:
    array = units.db_to_linear(np.array([db]))
    assert isinstance(units.db_to_linear(db), float)
    assert array[0] == pytest.approx(units.db_to_linear(db), rel=1e-13)
    assert units.linear_to_db(array)[0] == pytest.approx(db, abs=1e-10)


def test_no_power_is_minus_infinity_and_a_negative_one_is_refused() -> None:
    assert units.linear_to_db(0.0) == -math.inf
    for bad in (-1.0, math.nan):
        with pytest.raises(ValueError, match=r"must be >= 0, got"):
            units.linear_to_db(bad)
