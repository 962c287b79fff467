from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agents.evaluation.statistics import Crossed
from agents.experiments.future import BOUND, OPTIMUM, ORACLE, PLANNER, SessionMeans, _claims, _draw
from tests.profiles import ALIGNMENT

AGENT = "D3QN, gamma 0.99"
ROWS = 3


def standing_of(sessions: dict[str, Any]) -> SessionMeans:
    """Sessions of three equal requests each, which are of two requests of the profile."""
    rewards = {label: np.repeat(values, ROWS, axis=-1) for label, values in sessions.items() if label != BOUND}
    count = len(sessions[BOUND])
    labels = Crossed(np.repeat(np.arange(count), ROWS), np.arange(ROWS * count) % 2)
    return SessionMeans(sessions, {}, rewards, labels)


def test_the_way_to_the_bound_is_measured_from_the_myopic_optimum() -> None:
    sessions = {
        ORACLE: np.array([0.1, 0.1]),
        OPTIMUM: np.array([0.2, 0.4]),
        AGENT: np.array([[0.3, 0.5], [0.5, 0.7]]),  # two agents
        BOUND: np.array([0.6, 0.8]),
    }
    standing = standing_of(sessions)
    assert standing.interval(AGENT, OPTIMUM).mean == pytest.approx(0.2)
    assert standing.interval(AGENT, OPTIMUM, agent=1).mean == pytest.approx(0.3)
    assert standing.interval(BOUND, ORACLE).mean == pytest.approx(0.6)
    assert standing.way(AGENT).mean == pytest.approx(0.5)
    assert standing.way(BOUND).mean == pytest.approx(1.0)


def test_a_way_that_leads_back_has_no_per_cent() -> None:
    sessions = {
        OPTIMUM: np.array([0.6, 0.7]),
        ORACLE: np.array([0.6, 0.7]),
        AGENT: np.array([[0.1, 0.2]]),
        BOUND: np.array([0.61, 0.71]),
    }
    sessions[PLANNER] = np.array([0.605, 0.705])
    standings = {"queue": standing_of(sessions)}
    options = SimpleNamespace(gammas=[0.99], seeds=1)
    told = [claim.measured for claim in _claims(standings, options) if "way from the myopic" in claim.stated]  # type: ignore[arg-type]
    assert told[0].startswith(f"oracle 0% (95 % 0% to 0%), {AGENT} below 0, planner 50% (95 % ")
    texts = [text.get_text() for text in _draw(standings).axes[0].texts]
    assert any(text.endswith("(below 0)") for text in texts)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("scenario=queue", "scenario=paper, got queue"),
        ("scenario.snr_db=[0,3]", "leave scenario as it is"),
        ("experiment.gammas=[]", "experiment.gammas must be a list that is not empty"),
        ("experiment.gammas=[0.5,0.5]", "experiment.gammas must be a list of different discounts"),
        ("experiment.backlog_step_s=0", "experiment.backlog_step_s must be a finite number > 0"),
        ("experiment.backlog_step_s=1e-4", "at most 5000 levels"),
        ("experiment.scenarios=null", "experiment.scenarios must map names"),
        ("+experiment.scenarios.queue.plan=3", "unknown keys in experiment.scenarios.queue: plan"),
        ("+experiment.scenarios.queues={}", "missing keys in experiment.scenarios.queues: plans"),
        ("+experiment.scenarios.queue.agent.tua=3", "tua"),
        ("experiment.seeds=0", "seeds must be an integer >= 1"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    command: Callable[..., int],
    profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    said: str,
) -> None:
    arguments = [
        "experiment=future",
        setting,
        f"env.profile={profile_file}",
        ALIGNMENT,
        f"hydra.run.dir={tmp_path / 'run'}",
    ]
    assert command("evaluate.py", *arguments) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "agents").exists()
