from __future__ import annotations

import csv
from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest

from agents.evaluation.statistics import Interval
from agents.experiments.shared.learning import Curves, learning_curves, lesson_of
from agents.experiments.shared.states import sample_states
from agents.experiments.shared.study import CurveOptions
from agents.experiments.transfer import FITTED, SCRATCH, Fitting, _claims
from agents.policies import load_policy
from agents.runs.learn import new_agent
from agents.runs.settings import AgentSettings
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import ALIGNMENT

AGENT = {"name": "d3qn", "learning_starts": 16, "buffer_size": 200, "gamma": 0.0}


def start(*shares: list[float]) -> Curves:
    return Curves(np.array([0, 200, 400]), np.array(shares), np.ones(len(shares)))


@pytest.mark.parametrize(
    ("scratch", "fitted", "verdict"),
    [
        ([0.1, 0.96, 0.99], [0.96, 0.99, 0.99], "yes"),
        ([0.1, 0.96, 0.99], [0.5, 0.96, 0.99], "undecided"),  # as late is not sooner
        ([0.96, 0.99, 0.99], [0.96, 0.99, 0.99], "undecided"),  # 0.95 from the start on in both, but 0.98 as late
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], "undecided"),  # neither gets there
        ([0.96, 0.99, 0.99], [0.1, 0.2, 0.3], "no"),  # later
    ],
)
def test_the_bar_is_read_off_the_curves(scratch: list[float], fitted: list[float], verdict: str) -> None:
    starts = {SCRATCH: start(scratch, scratch), FITTED: start(fitted, fitted)}
    bar = _claims("finetuned", "iot", Fitting(starts, Interval(0.9, 0.9, 0.9)), (0.95, 0.98))[0]
    assert bar.verdict == verdict
    assert bool(bar.why) is (verdict != "yes")


def test_a_fitted_agent_starts_as_good_as_its_source_and_learning_is_seeded(
    profile: QualityProfile, tmp_path: Path
) -> None:
    settings = SplitSettings(profile=profile, acceptance="alignment", scenario="iot", episode_length=5)
    options = CurveOptions(episodes=16, num_envs=4, every_episodes=8, seeds=2, num_states=64, agent=AGENT)
    scratch, fitted = (AgentSettings.from_config(AGENT | {"init_from": source}) for source in (None, "root"))
    states = sample_states(settings, options.num_states, 1)
    first = learning_curves(options, settings, fitted, states, tmp_path)
    kept = learning_curves(options, settings, fitted, states, tmp_path)
    again = learning_curves(options, settings, fitted, states, tmp_path / "other")
    root = load_policy("root", SplitVectorEnv(1, settings))
    assert first.learnt_from.tolist() == [0, 8, 16]
    assert first.values[:, 0] == pytest.approx(states.rewards_of(states.actions("root", root)).mean())
    assert first.values.tolist() == kept.values.tolist() == again.values.tolist()
    assert first.served.tolist() == kept.served.tolist() == again.served.tolist()
    assert first.served[0] != first.served[1]
    assert ((first.served > 0) & (first.served < 1)).all()
    assert len(list((tmp_path / "curves").iterdir())) == 2
    # Random networks are something else, and so are their curves.
    agents = [new_agent(lesson_of(options, settings, agent)) for agent in (scratch, fitted)]
    assert agents[0].policy.state_dict().keys() == agents[1].policy.state_dict().keys()
    assert learning_curves(options, settings, scratch, states, tmp_path).values[0, 0] != first.values[0, 0]


def test_the_numbers_of_the_summary_are_those_of_the_points(
    command: Callable[..., int], profile_file: Path, tmp_path: Path
) -> None:
    settings = ["experiment.scenarios=[iot]", "experiment.seeds=1", "experiment.episodes=24", "experiment.num_envs=8"]
    settings += ["experiment.every_episodes=8", "experiment.num_states=32", "experiment.shares=[0.5,0.999]"]
    place = [f"env.profile={profile_file}", ALIGNMENT, f"hydra.run.dir={tmp_path / 'run'}"]
    assert command("evaluate.py", "experiment=transfer", *place, *settings) == 0
    points, summary = (
        list(csv.DictReader((tmp_path / "run" / f"transfer{suffix}.csv").open())) for suffix in ("", "_summary")
    )
    assert [row["start"] for row in summary] == [SCRATCH, FITTED]
    for row in summary:
        own = [each for each in points if each["start"] == row["start"]]
        assert float(row["relative_to_bound_at_start"]) == float(own[0]["relative_to_bound"])
        reached = [float(each["requests"]) for each in own if float(each["relative_to_bound"]) >= 0.5]
        assert float(row["requests_until_0.5"]) == min(reached, default=inf)
