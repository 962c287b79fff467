"""Expected satisfaction over the bandwidth, and where the order turns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agents.experiments.shared.crossover import expected_satisfaction, first_crossing


def test_edge_gains_by_bandwidth_and_loses_by_an_honest_rate() -> None:
    bandwidths_hz = np.array([3e5, 3e6, 3e7])
    paper, digital = (expected_satisfaction(-6.0, bandwidths_hz, link, num_states=32) for link in ("paper", "digital"))
    assert np.all(np.diff(paper.edge) > 0)
    assert np.all(digital.edge <= paper.edge)
    assert paper.semaigc[0] > paper.edge[0]


def test_the_crossing_lies_between_the_points_where_the_lead_changes() -> None:
    x = np.array([1.0, 10.0, 100.0])
    assert first_crossing(x, np.array([1.0, 1.0, 1.0]), np.array([0.0, 0.5, 1.5])) == pytest.approx(10**1.5)
    assert first_crossing(x, np.ones(3), np.zeros(3)) == math.inf
    assert first_crossing(x, np.zeros(3), np.ones(3)) == 1.0
