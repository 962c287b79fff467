from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.evaluation.entries import COLUMNS, Entry, Outcomes
from agents.evaluation.statistics import interquartile_mean, probability_of_improvement
from agents.reports.numbers import ALL, Numbers
from agents.reports.page import finding
from agents.reports.report import write_numbers


def outcomes(seed: int, shift: float, states: int = 0) -> Outcomes:
    rng, world = np.random.default_rng(seed), np.random.default_rng(states)
    noise = {name: rng.random(200) for name in COLUMNS}
    shared = {"snr_db": world.uniform(-6, 15, 200), "edge_availability": world.uniform(0.1, 1, 200)}
    labels = {"episode": np.arange(200) // 10, "request": np.arange(200) % 8, "seed": np.full(200, 7)}
    return noise | shared | labels | {"reward": np.clip(world.random(200) + shift, 0, 1)}


@pytest.fixture
def of_sessions() -> list[Entry]:
    return [
        Entry(name, policy, outcomes(seed, shift, states))
        for states, name in enumerate(("paper", "iot"))
        for seed, (policy, shift) in enumerate({"oracle_bound": 0.2, "best_fixed": 0.0, "mine": 0.1}.items())
    ]


@pytest.fixture
def of_runs() -> list[Entry]:
    runs = [Entry("paper", f"agent={a}", outcomes(s, 0.1 * s), f"{a}{s}", s) for a in ("dqn", "ppo") for s in range(4)]
    return [*runs, Entry("paper", "oracle_bound", outcomes(9, 0.5))]


def test_aggregates_are_those_of_the_sessions(of_sessions: list[Entry]) -> None:
    rows = Numbers.from_trials(of_sessions, 2).as_rows()
    found = {(row["scenario"], row["policy"]): row for row in rows["interquartile_means"]}
    assert set(found) == {
        (name, policy) for name in ("paper", "iot", ALL) for policy in ("oracle_bound", "best_fixed", "mine")
    }
    sessions = {
        name: [r["satisfaction"] for r in rows["sessions"] if r["policy"] == "mine" and r["scenario"] == name]
        for name in ("paper", "iot")
    }
    assert found["iot", "mine"]["iqm"] == pytest.approx(interquartile_mean([sessions["iot"]]))
    assert found[ALL, "mine"]["iqm"] == pytest.approx(interquartile_mean(list(sessions.values())))
    assert found[ALL, "mine"]["scores"] == 40


def test_improvement_has_every_pair_in_both_directions(of_sessions: list[Entry]) -> None:
    rows = Numbers.from_trials(of_sessions, 2).improvement
    chance = {(row["policy"], row["baseline"]): row for row in rows}
    assert len(chance) == 6
    both = chance["oracle_bound", "mine"]["probability"], chance["mine", "oracle_bound"]["probability"]
    assert both[0].mean + both[1].mean == pytest.approx(1)
    assert chance["oracle_bound", "best_fixed"]["probability"].mean == 1.0  # on the same requests it is always better
    assert 0.5 < chance["oracle_bound", "best_fixed"]["probability_unpaired"] < 1.0


def test_unpaired_chance_is_that_of_all_pairs(of_runs: list[Entry]) -> None:
    rows = {(row["policy"], row["baseline"]): row for row in Numbers.from_trials(of_runs, 2).improvement}
    row = rows["agent=dqn", "oracle_bound"]
    assert row["compared"] == "runs"
    assert row["probability"].mean == pytest.approx(row["probability_unpaired"])
    means = [
        [float(np.mean(t.outcomes["reward"])) for t in of_runs if t.policy == p] for p in ("agent=dqn", "oracle_bound")
    ]
    assert row["probability"] == probability_of_improvement([means[0]], [means[1]])


def test_runs_have_rows_and_lone_policies_no_interval(of_runs: list[Entry]) -> None:
    numbers = Numbers.from_trials(of_runs, 2)
    assert [(row["run"], row["training_seed"]) for row in numbers.runs][:2] == [("dqn0", 0), ("dqn1", 1)]
    found = {row["policy"]: row for row in numbers.aggregates}
    assert found["agent=dqn"]["scores"] == 4
    assert found["agent=dqn"]["iqm"].low < found["agent=dqn"]["iqm"].high
    assert np.isnan(found["oracle_bound"]["iqm"].low)


def test_cells_hold_all_requests(of_sessions: list[Entry]) -> None:
    rows = Numbers.from_trials(of_sessions, 3).as_rows()["cells"]
    own = [row for row in rows if row["policy"] == "mine" and row["scenario"] == "paper"]
    assert sum(row["requests"] for row in own) == 200
    mean = sum(row["requests"] * row["satisfaction"] for row in own) / 200
    assert mean == pytest.approx(np.mean(of_sessions[2].outcomes["reward"]))
    assert all(row["regret"] >= 0 for row in own)


def test_same_trials_same_bytes(of_sessions: list[Entry], tmp_path: Path) -> None:
    first, second = (write_numbers(Numbers.from_trials(of_sessions, 3), tmp_path / name) for name in "ab")
    assert [path.name for path in first] == [
        "comparison.csv",
        "interquartile_means.csv",
        "improvement.csv",
        "profiles.csv",
        "cells.csv",
        "sessions.csv",
    ]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))


def test_finding_leaves_the_bounds_aside(of_sessions: list[Entry]) -> None:
    said = finding(Numbers.from_trials([entry for entry in of_sessions if entry.scenario == "paper"], 2))
    assert said.startswith("Bounds aside, mine satisfies most, 0.")
    assert "% of the bound" in said
    assert "over the best fixed split" in said
