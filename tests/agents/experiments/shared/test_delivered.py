from __future__ import annotations

from dataclasses import fields

import numpy as np

from agents.experiments.receivers import bands_of
from agents.experiments.shared.delivered import middle_of, schemes_of
from envs.scenario import ScenarioParams


def test_the_middle_of_a_scenario() -> None:
    scenario = ScenarioParams(snr_db=(-6.0, 15.0), bandwidth_hz=(1e6, 4e6), density_factor=1.0)
    middle = middle_of(scenario)
    assert middle["snr_db"] == [4.5, 4.5]
    assert middle["bandwidth_hz"] == [2e6, 2e6]
    assert middle["density_factor"] == [1.0, 1.0]
    named = {each.name for each in fields(scenario)} - {"latency_high_ratio", "correlation"}
    assert set(middle) == named  # what has no range stays as it is


def test_schemes_have_a_receiver_where_one_takes_steps() -> None:
    schemes = schemes_of(["finetuned", "ignore"])
    assert len(set(schemes)) == 6
    assert {scheme.receiver for scheme in schemes if scheme.framework in ("edge", "non_finetuning")} == {None}


def test_bands_hold_every_snr_once() -> None:
    levels = [-20.0, -6.0, -3.0, 6.0, 15.0]
    bands = bands_of(levels)
    assert sorted(np.concatenate([band.columns for band in bands]).tolist()) == list(range(len(levels)))
    assert len(bands_of([10.0, 15.0])) == 1
