from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.comparison import compare, contender
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile


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
