"""Settings are parsed once, at the door."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from envs import SplitEnv, SplitSettings, SplitVectorEnv
from envs.scenario import resolve_scenario
from envs.transceiver.profile.profile import QualityProfile


def test_keywords_are_settings() -> None:
    assert SplitSettings.from_keywords({}) == SplitSettings()
    assert SplitSettings.from_keywords({"max_attempts": 1}) == SplitSettings(max_attempts=1)


def test_keywords_change_given_settings_and_leave_the_others(profile: QualityProfile) -> None:
    base = SplitSettings(profile=profile, scenario="iot", episode_length=5, plans=["semaigc(3)"])
    changed = SplitSettings.from_keywords({"episode_length": 7}, base)
    assert changed == SplitSettings(profile=profile, scenario="iot", episode_length=7, plans=["semaigc(3)"])
    assert base.episode_length == 5
    for env in (SplitEnv(base, episode_length=7), SplitVectorEnv(2, base, episode_length=7)):
        assert env.model.settings == changed


@pytest.mark.parametrize("base", [None, SplitSettings()])
def test_an_unknown_keyword_is_refused_with_what_is_allowed(base: SplitSettings | None) -> None:
    with pytest.raises(ValueError, match="unknown keys in environment settings: sneed; allowed: scenario, plans, fid"):
        SplitSettings.from_keywords({"sneed": 1}, base)


@pytest.mark.parametrize("choice", ["queue", {"name": "queue"}, resolve_scenario({"name": "queue"})])
def test_a_scenario_is_parsed_whatever_names_it(choice: Any) -> None:
    assert SplitSettings(scenario=choice).scenario == resolve_scenario("queue")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_attempts": 0}, "max_attempts must be an integer >= 1, got 0"),
        ({"observation_window": 1.5}, "observation_window must be an integer >= 1, got 1.5"),
        ({"quality_min": float("nan")}, "quality_min must be a finite number, got nan"),
        ({"deadline_s": 0}, "deadline_s must be a finite number > 0, got 0"),
        ({"fidelity": "imagined"}, "unknown fidelity 'imagined'; allowed: profile, live"),
        ({"user_device": "laptop"}, "user_device must be an envs.costs.Device, got 'laptop'"),
        ({"reward": "happiness"}, "unknown reward 'happiness'; allowed: satisfaction, qoe, vector"),
        ({"costs": "guessed"}, "guessed"),
        ({"scenario": {"name": "moon"}}, "moon"),
    ],
)
def test_a_value_out_of_bounds_is_refused_before_anything_is_loaded(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitSettings(profile="nowhere.npz", **change)


def test_settings_stay_as_they_are() -> None:
    with pytest.raises(FrozenInstanceError):
        SplitSettings().max_attempts = 2  # type: ignore[misc]
