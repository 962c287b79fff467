"""Lists of opponents and splits, and what splitting adds, in cases whose answer is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.evaluation.expected import margins_of_actions, margins_of_choices
from agents.evaluation.planned import PlannerSizes, planned
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, SPLITS, Judge, optima, plan_lists
from agents.policies import fitted
from agents.policies.model_based import sample_observations
from envs import SplitSettings, SplitVectorEnv, costs, plans
from envs.rewards import satisfaction
from envs.transceiver import QualityProfile, TableKey
from tests.profiles import honest_profile, synthetic_profile

PROFILE = honest_profile()
BASE = SplitSettings(profile=PROFILE, requests="test", acceptance="alignment")
STILL = {
    "name": "paper",
    "snr_db": (10.0, 10.0),
    "edge_availability": (0.3, 0.3),
    "user_availability": (1.0, 1.0),
    "bandwidth_hz": (5e6, 5e6),
    "density_factor": (1.0, 1.0),
    "latency_low_s": (10.0, 10.0),
}
"""A scenario in which every state is the same."""
LINK = {"snr_db": 10.0, "bandwidth_hz": 5e6, "edge_availability": 0.3}
SIZES = PlannerSizes(num_sessions=4, bound_sessions=4, num_states=20, backlog_step_s=1.0, battery_step_j=5.0)
NO_CLOUD_DEVICE = costs.Device("slow cloud", clock_hz=1e9, cores=1, step_s=1e3, power_w=1.0)


def accepted_only(accepted: Mapping[TableKey, tuple[int, ...]] | None) -> QualityProfile:
    """A profile of T = 20 in which images of some splits alone are accepted; None: all images are."""
    profile = honest_profile(num_requests=3, steps=(20,))
    parts = {}
    for place, part in profile.parts.items():
        tables = {}
        for key, table in part.tables.items():
            kept = table.splits if accepted is None else accepted.get(key, ())
            values = np.where(np.isin(table.splits, kept), 0.95, 0.1).astype(np.float32)
            measured = np.where(np.isnan(table.measured), np.nan, values[:, None, None]).astype(np.float32)
            noise_free = np.broadcast_to(values, table.noise_free.shape).copy()
            tables[key] = replace(table, measured=measured, noise_free=noise_free)
        whole = np.full_like(part.references[20], 0.95 if accepted is None else 0.1)
        parts[place] = replace(part, tables=tables, references={20: whole})
    return QualityProfile(parts, 20, profile.fingerprint)


def still(profile: QualityProfile, **changes: Any) -> SplitSettings:
    given = {"profile": profile, "requests": "test", "acceptance": "alignment", "scenario": STILL}
    return SplitSettings(**given | changes)


def test_opponents_split_nothing_and_splits_do() -> None:
    lists = plan_lists(BASE)
    of = {name: set(lists.of(name)) for name in lists.members}
    named = {"edge_aigc_webp", "local_aigc", "local_light_aigc", "cloud_aigc_webp"}
    ends = {"semaigc(0)", "semaigc(20)", "semaigc(20)_u4"}
    assert of["named@20"] == named
    assert of["opponents@20"] == named | ends
    assert of["opponents@8"] == {f"{name}@8" for name in named} | {"semaigc(0)@8", "semaigc(8)@8", "semaigc(8)_u4@8"}
    assert of["splits@8"] == {f"semaigc({k}){codec}@8" for k in range(1, 8) for codec in ("", "_u4")}
    assert of["papers"] == {"edge_aigc", "local_aigc", "edge_aigc@8", "local_aigc@8"}
    assert of["two@8"] == {"edge_aigc_webp@8", "local_aigc@8"}
    assert of["family@20"] == {f"semaigc({k})" for k in range(21)}
    assert of[ALL] == of[CHOSEN] | of[SPLITS]
    assert not of[CHOSEN] & of[SPLITS]
    assert of[ALL] - of[ALL + NO_CLOUD] == {"cloud_aigc_webp", "cloud_aigc_webp@8"}
    assert lists.steps == (8, 20)
    assert lists.notes == ()
    assert lists.members[SPLITS].min() > lists.members[CHOSEN].max()  # who splits nothing wins where plans are equal


def test_what_was_not_measured_is_left_out_and_said() -> None:
    lists = plan_lists(replace(BASE, profile=synthetic_profile()))
    assert lists.of(CHOSEN) == ("local_aigc", "semaigc(0)", "semaigc(20)")
    assert "left out: edge_aigc_webp with T = 20 was not measured" in lists.notes


def test_a_table_of_few_requests_does_not_take_the_others() -> None:
    parts = dict(PROFILE.parts)
    key = TableKey("finetuned_light", 20)
    part = parts["prompt", "test"]
    parts["prompt", "test"] = replace(part, tables={**part.tables, key: part.tables[key].limited(3, None)})
    base = replace(BASE, profile=QualityProfile(parts, 20, PROFILE.fingerprint))
    lists = plan_lists(base)
    assert "local_light_aigc" not in lists.names
    assert "local_light_aigc@8" in lists.names
    assert lists.notes == ("left out: local_light_aigc with T = 20 has fewer requests than with another T",)
    assert optima(base, lists, 4, 0).model.quality.num_requests == 8


@pytest.mark.parametrize(
    ("codecs", "message"),
    [({"codec": "u4"}, "codec u4 is not for images"), ({"latent_codec": "webp"}, "codec webp is not for latents")],
)
def test_codecs_of_the_other_payload_are_refused(codecs: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_lists(BASE, **codecs)


def test_with_a_free_edge_and_a_perfect_link_splitting_adds_nothing() -> None:
    free = replace(costs.RTX_A6000, step_s=1e-6, text_encoder_s=1e-6, vae_decoder_s=1e-6)
    hurried = {"name": "paper", "bandwidth_hz": (20e6, 20e6), "latency_low_s": (0.8, 1.2)}
    base = replace(BASE, edge_device=free, link="digital", scenario=hurried)
    found = optima(base, plan_lists(base), 64, seed=0)
    for cloud in (True, False):
        gain = found.adds(cloud)
        assert (gain.mean, gain.low, gain.high) == (0.0, 0.0, 0.0)
    assert found.mean(CHOSEN).mean > found.mean(SPLITS).mean


def test_where_one_split_alone_is_accepted_it_adds_all_that_it_earns() -> None:
    base = still(accepted_only({TableKey("finetuned", 20): (12,)}))
    found = optima(base, plan_lists(base), 5, seed=0)
    latency_s = costs.price(plans.semaigc(12), **LINK).latency_s
    expected = float(satisfaction(latency_s, 10.0, 20.0))
    assert 0.0 < expected < 1.0
    assert found.mean(CHOSEN).mean == 0.0
    assert found.adds().mean == pytest.approx(expected, abs=1e-6)
    assert {found.lists.names[index] for index in found.actions(ALL)} == {"semaigc(12)"}
    assert found.most_taken(ALL) == "semaigc(12) 100%"


def test_a_limit_of_energy_makes_a_split_worth_what_the_ends_cannot() -> None:
    """Local takes 2,326 J of 1,500, the edge is slow: the split that just fits is the best."""
    base = still(
        accepted_only(None),
        scenario=STILL | {"name": "battery", "battery_j": (1500.0, 1500.0)},
        link="digital",
        episode_length=1,
        cloud_device=NO_CLOUD_DEVICE,
    )
    found = planned(base, plan_lists(base), SIZES, seed=0, bounds=(ALL, CHOSEN))
    price = {
        name: costs.price(plan, link="digital", **LINK)
        for name in ("edge_aigc_webp", "semaigc(20)", "semaigc(20)_u4", "semaigc(7)", "semaigc(7)_u4")
        for plan in plans.expand(name)
    }
    reward = {name: float(satisfaction(each.latency_s, 10.0, 20.0)) for name, each in price.items()}
    split = max(reward["semaigc(7)"], reward["semaigc(7)_u4"])
    end = max(reward["edge_aigc_webp"], reward["semaigc(20)"], reward["semaigc(20)_u4"])
    assert found.adds().mean == pytest.approx(split - end, abs=1e-9)
    assert split - end > 0.3
    assert found.most_taken(ALL).startswith("semaigc(7)")
    assert found.at_most(ALL, CHOSEN).mean >= found.adds().mean - 1e-9
    assert found.bound(ALL).mean >= found.mean(ALL).mean - 1e-9


def test_the_optimum_is_fitted_on_the_training_requests_and_judged_on_the_others() -> None:
    lists = plan_lists(BASE, latent_codec="u5")  # which nobody measured; coded latents are all alike here
    found = optima(BASE, lists, 40, seed=3)
    model = SplitVectorEnv(1, replace(BASE, plans=list(lists.names))).model
    observations = sample_observations(model, 40, 3)
    members = lists.members[SPLITS]
    known = fitted(model).expected_rewards(observations)
    actions = members[known[:, members].argmax(axis=1)]
    np.testing.assert_array_equal(found.actions(SPLITS), actions)
    served = model.expected_rewards(observations)
    assert found.mean(SPLITS).mean == pytest.approx(served[np.arange(40), actions].mean())
    assert found.bounds[SPLITS].interval().mean == pytest.approx(served[:, members].max(axis=1).mean())
    assert found.bounds[SPLITS].interval().mean > found.mean(SPLITS).mean
    np.testing.assert_allclose(found.served, served)


def test_choices_on_the_way_are_those_made_before() -> None:
    judge = Judge.of(BASE, plan_lists(BASE))
    observations = sample_observations(judge.model, 300, 0)  # more than a chunk
    expected = judge.model.expected_rewards(observations)
    before = margins_of_actions(judge.model, observations, expected.argmax(axis=1)[None])
    on_the_way, means = margins_of_choices(judge.model, observations, lambda _, each: each.argmax(axis=1)[None])
    np.testing.assert_allclose(means, expected)
    np.testing.assert_allclose(on_the_way.by_state, before.by_state)
    np.testing.assert_allclose(on_the_way.by_request, before.by_request)


@pytest.mark.parametrize("scenario", ["queue", "battery"])
def test_planners_of_all_lists_serve_the_same_requests(scenario: str) -> None:
    base = replace(BASE, scenario=scenario)
    lists = plan_lists(base)
    found = planned(base, lists, replace(SIZES, battery_step_j=500.0), seed=1)
    rows = [each["request"] for each in found.served.values()]
    assert all((row == rows[0]).all() for row in rows)
    assert set(found.lists.of(SPLITS)) < set(lists.of(SPLITS))
    assert found.lists.of(CHOSEN) == lists.of(CHOSEN)
    assert 0.0 <= found.lost < 0.01
    assert np.isnan(found.bound_gain(ALL, CHOSEN).mean)  # nobody asked for it
    gains = found.session_gain(ALL, CHOSEN)
    assert gains.mean() == pytest.approx(found.adds().mean)
    assert found.joules_per_image(CHOSEN) > 0.0


def test_more_bound_sessions_than_sessions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"planner\.bound_sessions must be at most num_sessions, 4, got 5"):
        replace(SIZES, bound_sessions=5)
