from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agents.experiments.shared.protocol_maps import ProtocolMap, edges_between
from envs.command_line import CONFIGS
from tests.profiles import ALIGNMENT

SETTINGS = [
    *("experiment.plans=[semaigc,edge_aigc,local_aigc,euci]", "experiment.seeds=1", "experiment.num_states=64"),
    *("experiment.cells=2", "experiment.num_sessions=8", "experiment.num_requests=320"),
    *("experiment.root.total_requests=320", "experiment.root.num_envs=8", "experiment.root.agent.buffer_size=1000"),
    *("experiment.root.agent.policy_kwargs.net_arch=[8]", "experiment.root.agent.learning_starts=64"),
]


def test_the_protocol_taken_most_in_a_cell() -> None:
    edges = np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 1.0])
    x, pacr = np.array([0.5, 0.5, 0.5, 1.5]), np.array([0.2, 0.2, 0.2, 0.9])
    map_ = ProtocolMap.from_decisions(x, pacr, np.array([3, 1, 3, 0]), edges)
    assert map_.most.tolist() == [[3, -1], [-1, 0]]
    np.testing.assert_allclose(map_.share, [[2 / 3, np.nan], [np.nan, 1.0]])


@given(st.integers(2, 300), st.integers(1, 6), st.integers(0, 100))
def test_shares_of_a_map(states: int, cells: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, pacr, protocol = rng.uniform(0.3, 20, states), rng.uniform(0.1, 1, states), rng.integers(4, size=states)
    edges = edges_between(x, cells, logarithmic=True), edges_between(pacr, cells, logarithmic=False)
    map_ = ProtocolMap.from_decisions(x, pacr, protocol, edges)
    seen = map_.most >= 0
    assert np.array_equal(seen, np.isfinite(map_.share))
    assert np.nansum(map_.share) <= seen.sum()
    assert seen[0].any()  # the cells hold all states, the least of them
    assert seen[-1].any()
    assert (map_.share[seen] >= 0.25).all()  # the most of four


def test_the_list_is_that_of_the_environment() -> None:
    env = yaml.safe_load((CONFIGS / "env" / "protocols.yaml").read_text())
    experiment = yaml.safe_load((CONFIGS / "experiment" / "protocols.yaml").read_text())
    assert experiment["experiment"]["plans"] == env["plans"]


def test_both_lists_meet_the_same_draws_and_the_longer_has_the_better_optimum(
    command: Callable[..., int], profile_file: Path, tmp_path: Path
) -> None:
    place = [f"env.profile={profile_file}", ALIGNMENT, f"experiment.root.folder={tmp_path / 'agents'}"]
    runs = [tmp_path / name for name in "ab"]
    for run in runs:
        assert command("evaluate.py", "experiment=protocols", *place, f"hydra.run.dir={run}", *SETTINGS) == 0
    names = ("protocols.csv", "protocols_protocols.csv", "protocols_map.csv")
    assert all((runs[0] / name).read_bytes() == (runs[1] / name).read_bytes() for name in names)
    rows = {row["policy"]: row for row in csv.DictReader((runs[0] / "protocols.csv").open())}
    expected = {name: float(row["expected"]) for name, row in rows.items()}
    assert expected["oracle_bound"] >= expected["oracle_bound_splits"] >= expected["root_splits"]
    assert expected["oracle_bound"] > max(expected[name] for name in ("oracle", "root", "two_split", "best_fixed"))
    (note,) = json.loads((runs[0] / "comparison.json").read_text(encoding="utf-8"))["notes"]
    assert "same 8 requests and 3 channel draws" in note
    protocols = list(csv.DictReader((runs[0] / "protocols_protocols.csv").open()))
    assert [(row["protocol"], row["plans"]) for row in protocols] == [
        ("semaigc", "21"),
        ("edge_aigc", "1"),
        ("local_aigc", "1"),
        ("euci", "20"),
    ]
    for policy in ("oracle_bound", "root"):
        assert sum(float(row[f"taken_by_{policy}"]) for row in protocols) == pytest.approx(1)
    assert all(float(row["lost_without_it"]) >= 0 for row in protocols)
