from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.evaluation.comparison import compare, contender
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import TableKey
from tests.profiles import synthetic_profile


def test_policies_meet_the_same_requests(profile: QualityProfile) -> None:
    names = {"best": "oracle", "edge": "edge", "any": "random"}
    contenders = {label: contender(name, SplitSettings(profile=profile), num_envs=4) for label, name in names.items()}
    results = compare(contenders, num_requests=60, seed=1)
    assert list(results) == list(names)
    for name in ("snr_db", "edge_availability", "request", "latency_low_s", "episode"):
        np.testing.assert_array_equal(results["best"][name], results["edge"][name])
    assert set(results["edge"]["split"]) == {20}
    assert results["best"]["reward"].mean() > results["any"]["reward"].mean()


def test_an_environment_that_has_the_plan_is_kept(profile: QualityProfile) -> None:
    listed = contender("edge", SplitSettings(profile=profile, plans=["semaigc", "edge_aigc"]), num_envs=1)
    assert len(listed.environment.model.plans) == 22
    own = contender("edge", SplitSettings(profile=profile), num_envs=1)
    assert own.environment.model.plan_names == ("edge_aigc",)


def test_an_environment_of_its_own_serves_the_same_requests_and_draws() -> None:
    """Whole plans need no table of the receiver's few draws: left alone they would be served from more requests."""
    whole = synthetic_profile(num_requests=8)
    key = TableKey("finetuned", 20)
    parts = {
        place: replace(part, tables={**part.tables, key: part.table(key).limited(5, 4)})
        for place, part in whole.parts.items()
    }
    profile = QualityProfile(parts, 20, whole.fingerprint)
    settings = SplitSettings(profile=profile, requests="test", receiver="finetuned")
    named = {name: contender(name, settings, num_envs=4) for name in ("oracle", "edge")}
    qualities = [each.environment.model.quality for each in named.values()]
    assert {(each.num_requests, each.num_draws) for each in qualities} == {(5, 4)}
    assert named["edge"].environment.model.requests == named["oracle"].environment.model.requests
    results = compare(named, num_requests=80, seed=1)
    np.testing.assert_array_equal(results["oracle"]["request"], results["edge"]["request"])


@pytest.mark.parametrize("name", ["random", "model_based_estimated"])
def test_what_a_policy_draws_does_not_depend_on_what_it_served_before(profile: QualityProfile, name: str) -> None:
    drawing = contender(name, SplitSettings(profile=profile), num_envs=4)
    first, other, again = (drawing.serve(40, seed) for seed in (1, 2, 1))
    np.testing.assert_array_equal(first["action"], again["action"])
    assert (first["reward"] != other["reward"]).any()


def test_a_misspelt_policy(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="psychic"):
        contender("psychic", SplitSettings(profile=profile), num_envs=1)


def test_steps_at_the_edge_are_those_of_the_plan_that_was_chosen(profile: QualityProfile) -> None:
    chosen = ["semaigc(0)", "semaigc(7)", "edge_aigc", "local_aigc"]
    env = SplitVectorEnv(1, profile=profile, plans=chosen)
    np.testing.assert_array_equal(env.model.edge_steps, [0, 7, 20, 0])
    served = compare({"any": contender("random", env.model.settings, 4)}, num_requests=40, seed=0)["any"]
    assert set(served["action"]) == {0, 1, 2, 3}
    np.testing.assert_array_equal(served["split"], env.model.edge_steps[served["action"]])
