from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.costs import CostTable, LinkState, compute_energy_j, price


def test_seconds_times_watts() -> None:
    assert compute_energy_j(2.0, 300.0) == 600.0


def test_both_devices_are_counted_and_the_link_is_not() -> None:
    energy_j = price(plans.semaigc(12), snr_db=0.0, bandwidth_hz=1e6).energy_j
    assert energy_j == pytest.approx(300.0 * (0.75 + 12 * 0.200) + 250.0 * (8 * 0.368 + 1.196))
    assert price(plans.semaigc(12), snr_db=0.0, bandwidth_hz=1e3).energy_j == energy_j


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_a_split_lies_between_its_ends(edge_availability: float, user_availability: float) -> None:
    table = CostTable.compile(plans.expand([f"semaigc({split})" for split in range(1, 21)]))
    energy_j = table.price(LinkState(0.0, 1e6, edge_availability, user_availability)).energy_j()[0]
    ends = sorted((energy_j[0], energy_j[-1]))
    assert np.all((energy_j >= ends[0] * (1 - 1e-12)) & (energy_j <= ends[1] * (1 + 1e-12)))
