"""EUCI's linear energy, and MEG's printed table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.experiments.euci.fig8 import printed_energy_share
from agents.experiments.meg.fig6 import PRINTED
from envs import costs


def device(flops_per_s: float, power_w: float) -> costs.Device:
    return costs.Device("any", 1e9, 100, 0.1, power_w, compute_flops_per_s=flops_per_s)


def test_eq_2_by_hand() -> None:
    share = printed_energy_share(np.array([0, 55, 110]), 110, device(1321e12, 450.0), device(17e12, 4.76))
    user = (4.76 / 17e12) / (450.0 / 1321e12)
    assert share == pytest.approx([1.0, (1 + user) / 2, user], rel=1e-12)
    assert 1 / user == pytest.approx(1.58 / 1.3, rel=0.01)


@given(st.floats(1e12, 1e15), st.floats(1.0, 500.0), st.floats(1e12, 1e15), st.floats(1.0, 500.0))
def test_a_split_never_needs_less_than_both_ends(c_edge: float, p_edge: float, c_user: float, p_user: float) -> None:
    share = printed_energy_share(np.arange(21), 20, device(c_edge, p_edge), device(c_user, p_user))
    low, high = sorted((share[0], share[-1]))
    assert ((share >= low * (1 - 1e-9)) & (share <= high * (1 + 1e-9))).all()


def test_the_papers_totals_are_the_sums_of_its_own_figures() -> None:
    for row in PRINTED.values():
        digit = max(row.total[1], 1e3)
        assert row.uplink[0] + row.downlink[0] == pytest.approx(row.total[0], abs=1.01 * digit)
