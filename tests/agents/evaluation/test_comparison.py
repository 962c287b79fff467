from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.comparison import compare, contender, edge_steps
from envs import plans
from envs.transceiver.profile.profile import QualityProfile


def test_policies_meet_the_same_requests(profile: QualityProfile) -> None:
    names = {"best": "oracle", "edge": "edge", "any": "random"}
    contenders = {label: contender(name, {"profile": profile}, num_envs=4) for label, name in names.items()}
    results = compare(contenders, num_requests=60, seed=1)
    assert list(results) == list(names)
    for name in ("snr_db", "edge_availability", "request", "latency_low_s", "episode"):
        np.testing.assert_array_equal(results["best"][name], results["edge"][name])
    assert set(results["edge"]["split"]) == {20}
    assert results["best"]["reward"].mean() > results["any"]["reward"].mean()


def test_an_environment_that_has_the_plan_is_kept(profile: QualityProfile) -> None:
    listed = contender("edge", {"profile": profile, "plans": ["semaigc", "edge_aigc"]}, num_envs=1)
    assert len(listed.environment.model.plans) == 22
    own = contender("edge", {"profile": profile}, num_envs=1)
    assert own.environment.model.plan_names == ("edge_aigc",)


def test_a_misspelt_policy(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="psychic"):
        contender("psychic", {"profile": profile}, num_envs=1)


def test_steps_at_the_edge() -> None:
    chosen = (plans.semaigc(0), plans.semaigc(7), plans.edge_aigc(), plans.local_aigc())
    np.testing.assert_array_equal(edge_steps(chosen), [0, 7, 20, 0])
