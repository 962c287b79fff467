"""The law of the split, and a case that breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.evaluation.worth import Judge, plan_lists
from agents.experiments.shared.worth.law import check_law
from agents.policies.model_based import sample_observations
from envs import SplitSettings, costs
from tests.profiles import honest_profile

BASE = SplitSettings(profile=honest_profile(num_requests=2), requests="test")


@pytest.mark.parametrize("link", ["paper", "analog", "digital"])
@pytest.mark.parametrize("source", ["paper", "flops"])
def test_latency_is_linear_in_the_split_and_fastest_at_an_end(link: str, source: str) -> None:
    base = replace(BASE, link=link, costs=source)
    judge = Judge.of(base, plan_lists(base))
    found = check_law(judge, sample_observations(judge.model, 200, 0))
    assert found.holds
    assert found.deviation < 1e-12
    assert found.at_end + found.at_one == pytest.approx(1.0)
    if source == "paper":
        assert found.at_one == 0.0


def test_the_first_split_is_the_fastest_where_the_text_alone_is_slow_at_the_user() -> None:
    user = replace(costs.GTX_1080_TI, step_s=0.05, text_encoder_s=100.0)
    base = replace(BASE, user_device=user, scenario={"name": "paper", "bandwidth_hz": (20e6, 20e6)})
    judge = Judge.of(base, plan_lists(base))
    found = check_law(judge, sample_observations(judge.model, 50, 0))
    assert found.holds
    assert found.at_one > 0.9


def test_latency_that_is_not_linear_breaks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge.of(BASE, plan_lists(BASE))
    observations = sample_observations(judge.model, 10, 0)
    bent = judge.model.costs.coefficients.copy()
    bent[0, :, judge.model.action_of("semaigc(10)")] = 0.0  # what was done at the edge costs nothing at this split
    monkeypatch.setattr(judge.model, "costs", replace(judge.model.costs, coefficients=bent, busy_coefficients=bent))
    found = check_law(judge, observations)
    assert not found.holds
    assert found.deviation > 0.01
    assert np.isfinite(found.price_alone)
