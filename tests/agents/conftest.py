"""What several tests of the agents share."""

from __future__ import annotations

import pytest

from agents.policies import rule_search


@pytest.fixture
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"COARSE_PLANS": 3, "COARSE_THRESHOLDS": 2, "THRESHOLDS": 3, "ROUNDS": 1}
    for name, size in (sizes | dict.fromkeys(("PER_EDGE_S", "PER_USER_J"), (0.0, 1e-4))).items():
        monkeypatch.setattr(rule_search, name, size)
