"""Settings are parsed once, at the door."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from envs import SplitEnv, SplitSettings, SplitVectorEnv
from envs.channels import make_channel
from envs.scenario import SCENARIOS, resolve_scenario
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
        (
            {"acceptance": {"metric": "ssim", "least": float("nan")}},
            "least of acceptance must be a finite number, got nan",
        ),
        ({"acceptance": "beauty"}, "unknown acceptance 'beauty'; allowed: similarity, alignment"),
        ({"acceptance": {"metric": "mse", "least": 0.1}}, "unknown metric of acceptance 'mse'"),
        ({"acceptance": {"metric": "ssim"}}, "missing keys in acceptance: least"),
        ({"deadline_s": 0}, "deadline_s must be a finite number > 0, got 0"),
        ({"fidelity": "imagined"}, "unknown fidelity 'imagined'; allowed: profile, live"),
        (
            {"user_device": "laptop"},
            "user_device must be an envs.costs.Device, its values by name, or .*, got 'laptop'",
        ),
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


OWN = """
from dataclasses import dataclass
from typing import ClassVar

from envs.channels.awgn import Awgn
from envs.costs import Device
from envs.plans import Family, semaigc
from envs.scenario import Scenario, ScenarioParams, register_scenario

@dataclass(frozen=True)
class CalmParams(ScenarioParams):
    NAME: ClassVar[str] = "calm"
    calm: float = 1.0

@register_scenario
class Calm(Scenario):
    Params = CalmParams

class Wild(Scenario):
    Params = CalmParams

@dataclass(frozen=True)
class Quiet(Awgn):
    name: ClassVar[str] = "quiet"
    hush: float = 2.0

def two(first, second, num_inference_steps):
    return semaigc(first + second, num_inference_steps)

PLAN, INNER = semaigc(3), Family(semaigc, ("split",), first=1, left=1)
TABLET = Device("tablet", 1.5e9, 3584, 0.3, 15.0)
"""


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The stem of a file of one's own in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    stem = f"own_{tmp_path.name}"
    (tmp_path / f"{stem}.py").write_text(OWN, encoding="utf-8")
    yield stem
    sys.modules.pop(stem, None)
    SCENARIOS.pop("calm", None)


@pytest.mark.parametrize("suffix", ["", ".py"])
def test_all_of_ones_own_is_named_where_it_is(profile: QualityProfile, own_file: str, suffix: str) -> None:
    def own(name: str) -> str:
        return f"{own_file}{suffix}:{name}"

    plans = ["semaigc(0)", own("PLAN"), own("two(2,5)"), own("INNER(19)"), "edge_aigc"]
    env = SplitEnv(
        profile=profile,
        scenario={"name": own("Calm"), "calm": 3.0, "snr_db": 2.0},
        plans=plans,
        user_device=own("TABLET"),
        edge_device={"name": "box", "clock_hz": 1.5e9, "cores": 3584, "step_s": 0.2, "power_w": 15.0},
    )
    settings, names = env.model.settings, env.model.plan_names
    assert (settings.scenario.NAME, settings.scenario.calm, settings.scenario.snr_db) == ("calm", 3.0, (2.0, 2.0))
    assert (settings.user_device.name, settings.edge_device.name) == ("tablet", "box")
    assert names == ("semaigc(0)", "semaigc(3)", "semaigc(7)", "semaigc(19)", "edge_aigc")
    assert SplitSettings(scenario="calm").scenario.calm == 1.0  # known from now on
    assert make_channel({"name": own("Quiet"), "hush": 1.0}).fingerprint == "quiet, hush 1.0"
    inner = SplitEnv(profile=profile, plans=own("INNER")).model.plan_names
    assert inner == tuple(f"semaigc({split})" for split in range(1, 20))
    env.reset(seed=0)
    assert env.step(1)[1] >= 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scenario": "OWN:Quiet"}, "scenario 'OWN:Quiet' must be a class of the kind Scenario"),
        ({"scenario": "OWN:Wild"}, "'OWN:Wild' is not registered: put @register_scenario above its class"),
        ({"scenario": {"name": "OWN:Calm", "wild": 1}}, "unknown keys in scenario calm: wild"),
        ({"channel": "OWN:Calm"}, "channel 'OWN:Calm' must be a class of the kind Channel"),
        ({"channel": {"name": "OWN:Quiet", "loud": 1}}, "unknown keys in channel OWN:Quiet: loud; allowed: hush"),
        ({"plans": "OWN:TABLET"}, "must be a Plan, a Family, or a function of numbers"),
        ({"plans": "OWN:two(1)"}, r"must be written OWN:two\(first,second\), with whole numbers"),
        ({"plans": "OWN:PLAN(1)"}, "must be a Plan, a Family"),
        ({"plans": "OWN:INNER(one)"}, "must be written"),
        ({"user_device": "OWN:PLAN"}, "user_device must be an envs.costs.Device, its values by name, or module:NAME"),
        ({"user_device": {"name": "x"}}, "missing keys in user_device: clock_hz, cores"),
    ],
)
def test_what_is_not_of_the_kind_is_refused(
    profile: QualityProfile, own_file: str, change: dict[str, Any], said: str
) -> None:
    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: placed(each) for key, each in value.items()}
        return value.replace("OWN", own_file) if isinstance(value, str) else value

    with pytest.raises(ValueError, match=said.replace("OWN", own_file)):
        SplitEnv(**{"profile": profile, **placed(change)})


def test_ones_own_goes_into_other_processes(profile: QualityProfile, own_file: str) -> None:
    kept = pickle.loads(pickle.dumps(SplitSettings(profile=profile, scenario=f"{own_file}.py:Calm")))
    assert kept.scenario.NAME == "calm"
    settings: dict[str, Any] = {"scenario": {"name": f"{own_file}.py:Calm", "calm": 2.0}, "profile": profile}
    many = {"num_envs": 2, "vectorization_mode": "async", "vector_kwargs": {"context": "spawn"}}
    started = gym.make_vec("envs:SemAIGC/Split-v0", **many, settings=SplitSettings(**settings))
    named = gym.make_vec("envs:SemAIGC/Split-v0", num_envs=2, vectorization_mode="sync", **settings)
    try:
        np.testing.assert_array_equal(started.reset(seed=[3, 4])[0], named.reset(seed=[3, 4])[0])
        for left, right in zip(started.step(np.array([3, 9]))[:2], named.step(np.array([3, 9]))[:2], strict=True):
            np.testing.assert_array_equal(left, right)
    finally:
        started.close()
