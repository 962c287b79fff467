"""Advice on made-up profiles whose best rule is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.evaluation.advice import WORTH, Advice, AdviceSettings, advise
from agents.evaluation.worth import plan_lists
from agents.planning.tree import Cut, decide, leaves
from envs import SplitSettings
from envs.costs import Device
from envs.transceiver.profile.profile import PROMPT, TEST, TRAIN, QualityProfile
from tests.profiles import honest_profile

HOW = AdviceSettings(num_states=160, max_leaves=6, cloud=False, seed=0)


def device(step_s: float) -> Device:
    """One whose other modules are as much faster or slower."""
    return Device("made up", 1e9, 1, step_s, 10.0, 0.02 * step_s, 1.5 * step_s, parallel_fraction=0.0)


FAST, SLOW = device(1e-3), device(6.0)


@pytest.fixture(scope="module")
def measured() -> QualityProfile:
    return honest_profile(num_requests=6)


def advice(profile: QualityProfile, how: AdviceSettings = HOW, **changes: Any) -> Advice:
    settings = SplitSettings(profile=profile, requests="test", acceptance="alignment", **changes)
    return advise(settings, plan_lists(settings), how)


def changed(profile: QualityProfile, change: Callable[[NDArray, int], NDArray], *names: str) -> QualityProfile:
    """Other measured values: a function of the table of every split and T, in some parts."""
    parts = dict(profile.parts)
    for name in names:
        part = parts[PROMPT, name]
        tables = {
            key: replace(
                table,
                measured=change(table.measured, key.num_inference_steps),
                noise_free=change(table.noise_free, key.num_inference_steps),
            )
            for key, table in part.tables.items()
        }
        references = {steps: change(values, 0) for steps, values in part.references.items()}
        parts[PROMPT, name] = replace(part, tables=tables, references=references)
    return QualityProfile(parts, profile.num_inference_steps, profile.fingerprint)


def test_a_fast_device_of_ones_own_does_all_of_it(measured: QualityProfile) -> None:
    found = advice(measured, user_device=FAST)
    assert len(list(leaves(found.rule))) == 1
    assert found.rule_plans == [found.best_fixed]
    assert found.best_fixed.startswith("local_")
    assert found.satisfaction["rule"].mean == pytest.approx(1.0)
    for gain in found.gains.values():
        assert gain.high < 0.01


def test_a_free_edge_makes_what_a_slow_device_cannot(measured: QualityProfile) -> None:
    found = advice(measured, user_device=SLOW, scenario={"edge_availability": 1.0, "bandwidth_hz": 1e6})
    assert found.best_fixed.startswith("edge_aigc_webp")
    assert found.rule_plans == [found.best_fixed]


def test_the_rule_asks_for_what_decides(measured: QualityProfile) -> None:
    edge = device(0.6)
    scenario = {"edge_availability": (0.02, 1.0), "user_availability": 0.5, "latency_low_s": 8.0, "snr_db": 12.0}
    found = advice(measured, edge_device=edge, scenario=scenario)
    assert isinstance(found.rule, Cut)
    assert found.quantities[found.rule.quantity] == "edge_availability"
    assert 0.02 < found.rule.threshold < 1.0
    assert 1 < len(found.rule_plans) <= 6
    assert found.gains["rule"].low > 0.0
    assert found.share.low > 0.9
    assert found.satisfaction["rule"].mean <= found.satisfaction["bound"].mean


def test_it_is_found_on_the_training_requests_and_judged_on_the_test_requests(measured: QualityProfile) -> None:
    without = changed(measured, lambda values, _: np.where(np.isnan(values), values, 0.0), TEST)
    found, usual = advice(without, user_device=FAST), advice(measured, user_device=FAST)
    assert (found.rule, found.best_fixed) == (usual.rule, usual.best_fixed)
    assert found.satisfaction["rule"].mean == 0.0
    assert np.isnan(found.share.mean)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["share_of_optimum"]["mean"] is None


def test_it_splits_only_where_that_is_worth_it(measured: QualityProfile) -> None:
    def only_splits(values: NDArray, steps: int) -> NDArray:
        """Nothing is acceptable but what was handed over half-way."""
        kept = np.where(np.isnan(values), values, 0.0)
        if values.ndim > 2 and values.shape[2] == steps + 1 > 1:
            kept[:, :, steps // 2] = np.where(np.isnan(values[:, :, steps // 2]), np.nan, 1.0)
        return kept

    found = advice(changed(measured, only_splits, TRAIN, TEST))
    assert found.rule_plans[0].startswith("semaigc(")
    assert found.gains["splitting"].low > WORTH
    assert found.satisfaction["opponents"].mean == 0.0
    usual = advice(measured, user_device=device(0.4))
    assert usual.gains["splitting"].high < WORTH
    lists = plan_lists(usual.settings)
    assert not set(usual.rule_plans) & set(lists.of("splits"))


def test_a_cloud_is_advised_only_where_there_is_one(measured: QualityProfile) -> None:
    beside = advice(measured, replace(HOW, cloud=True), user_device=SLOW, edge_device=device(2.0))
    alone = advice(measured, user_device=SLOW, edge_device=device(2.0))
    assert any(name.startswith("cloud_aigc") for name in beside.rule_plans)
    assert not any(name.startswith("cloud_aigc") for name in alone.rule_plans)
    assert beside.satisfaction["optimum"].mean > alone.satisfaction["optimum"].mean
    assert beside.gains["splitting"] == alone.gains["splitting"]


def test_json_holds_the_whole_rule(measured: QualityProfile) -> None:
    found = advice(measured, scenario={"edge_availability": (0.02, 1.0), "user_availability": (0.1, 1.0)})
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))

    def follow(node: dict[str, Any], values: NDArray) -> str:
        while "plan" not in node:
            is_below = values[found.quantities.index(node["quantity"])] < node["threshold"]
            node = node["below" if is_below else "above"]
        return node["plan"]

    values, actions = found.states
    assert [follow(told["rule"], row) for row in values[:200]] == [found.plans[a].name for a in actions[:200]]
    assert (decide(found.rule, values) == actions).all()
    assert told["satisfaction"]["rule"]["mean"] == found.satisfaction["rule"].mean
    assert sum(told["taken_by_optimum"].values()) == pytest.approx(1.0)


def test_what_a_scenario_shows_of_its_own_can_be_asked_for(measured: QualityProfile) -> None:
    assert advice(measured, scenario="cache").quantities[-1] == "cached"


@pytest.mark.parametrize("name", ["queue", "battery"])
def test_where_decisions_reach_later_requests_there_is_no_advice(measured: QualityProfile, name: str) -> None:
    with pytest.raises(ValueError, match=f"do not wait for each other, scenario {name} is not"):
        advice(measured, scenario=name)
