from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.commands.check_profile import report
from envs.fidelity import ComparedRewards


def compared(gap: float, spread: float, count: int = 2000) -> ComparedRewards:
    rng = np.random.default_rng(0)
    profile = rng.random(count)
    live = profile + gap + spread * rng.standard_normal(count)
    request = np.arange(count) % 48
    return ComparedRewards(request, request, profile, profile, live, profile, profile)


@pytest.mark.parametrize(("gap", "spread", "verdict"), [(0.0, 0.05, "yes"), (0.02, 0.05, "no"), (0.0, 2.0, "no")])
def test_the_bar_is_a_narrow_interval_around_zero(gap: float, spread: float, verdict: str) -> None:
    line = report([compared(gap, spread)])[1]
    assert line.startswith("the profile's own channel draws")
    assert f"half-width of 0.01 or less: {verdict} (" in line


def test_batches_are_joined_and_equal_rewards_counted() -> None:
    same = compared(0.0, 0.0, 100)
    other = replace(same, live=same.profile + 0.5)
    lines = report([same, other])
    assert lines[0] == "200 requests of 48 prompts and seeds"
    assert lines[-1] == "equal rewards with the profile's own draws: 50.0%"
