"""Rules of acceptance: named ones, one's own, and whose they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs import SplitSettings, SplitVectorEnv
from envs.scenario import ScenarioParams, resolve_scenario
from envs.transceiver.profile.acceptance import ACCEPTANCE_RULES, ACCEPTED, Acceptance, acceptance_rule
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes


def test_the_named_rules_and_where_a_profile_is_measured_densely() -> None:
    assert acceptance_rule("similarity") == Acceptance("ssim", 0.8)
    assert acceptance_rule("alignment") == Acceptance("alignment", 0.9)
    assert acceptance_rule({"metric": "ssim", "least": 0.8}).name == "similarity"
    own = acceptance_rule({"metric": "psnr_db", "least": 25})
    assert own.name is None
    assert str(own) == "psnr_db ≥ 25"
    params = MeasureParams(None, {"ignore": ReceiverAxes((4,))}, {"train": 1}, (-6.0, 6.0))
    assert params.accepted == ACCEPTED == {rule.metric: rule.least for rule in ACCEPTANCE_RULES.values()}


@pytest.mark.parametrize("name", ["paper", "urban_fading", "bursty_edge", "iot", "cache", "battery", "queue"])
def test_every_scenario_of_today_takes_similarity(name: str) -> None:
    assert SplitSettings(scenario=name).acceptance_rule == ACCEPTANCE_RULES["similarity"]


def test_a_scenario_may_have_another_rule_and_a_choice_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScenarioParams, "ACCEPTANCE", "alignment")
    settings = SplitSettings(scenario=resolve_scenario("iot"))
    assert settings.acceptance_rule.metric == "alignment"
    assert replace(settings, acceptance="similarity").acceptance_rule.metric == "ssim"
    assert SplitSettings.from_keywords({"scenario": "queue"}, settings).acceptance_rule.metric == "alignment"


def test_the_rule_decides_on_what_is_accepted(profile: QualityProfile) -> None:
    shares = {}
    for name, rule in {"none": 2.0, "some": 25.0, "all": 0.0}.items():
        env = SplitVectorEnv(
            64, profile=profile, acceptance={"metric": "psnr_db", "least": rule if name != "none" else 99}
        )
        env.reset(seed=0)
        info = env.step(np.full(64, 12))[4]
        assert np.array_equal(info["accepted"], info["quality"]["psnr_db"] >= env.model.settings.acceptance_rule.least)
        shares[name] = info["accepted"].mean()
    assert shares["none"] == 0 < shares["some"] < shares["all"] == 1
