from __future__ import annotations

import pytest
from hydra.errors import MissingConfigException
from omegaconf import OmegaConf

from agents.runs.setup import named_scenarios, scenario_configs, scenario_name


def test_by_name() -> None:
    assert list(scenario_configs(["queue", "iot"])) == ["queue", "iot"]
    assert list(scenario_configs(["paper"])["paper"].snr_db) == [-6.0, 15.0]


def test_a_misspelt_name() -> None:
    with pytest.raises(MissingConfigException, match="scenario/papper"):
        scenario_configs(["papper"])


def test_names_of_scenarios_that_were_changed() -> None:
    paper = scenario_configs(["paper"])["paper"]
    changed = OmegaConf.merge(paper, {"snr_db": [0.0, 5.0]})
    assert scenario_name(paper, "paper") == "paper"
    assert scenario_name(changed, "paper") == "paper, changed"
    assert named_scenarios([changed, paper, paper, changed]) == {"scenario 1": changed, "paper": paper}
