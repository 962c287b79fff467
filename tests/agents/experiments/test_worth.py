"""What the experiment `worth` says, where the answer is known, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.evaluation.statistics import Interval
from agents.experiments.shared.worth.claims import Candidate, best_place
from agents.experiments.worth import Options
from tests.agents.evaluation.test_worth import SIZES, accepted_only
from tests.profiles import ALIGNMENT, honest_profile

Command = Callable[..., int]
GOOD: dict[str, Any] = {
    "scenarios": ["paper"],
    "links": ["paper"],
    "acceptance": ["alignment"],
    "costs": ["paper"],
    "codec": "webp",
    "latent_codec": "u4",
    "few": 8,
    "many": 20,
    "num_states": 4,
    "planner": SIZES,
    "interval_s": [4.0],
    "charge_j": [8e3],
    "user_step_s": [0.4],
    "edge_availability": [0.5],
    "bandwidth_hz": [1e6],
    "snr_db": [0.0],
    "latency_low_s": [4.0],
    "cell_states": 4,
}
SMALL = [
    "size=smoke",
    "experiment.scenarios=[paper]",
    "experiment.acceptance=[alignment]",
    "experiment.links=[digital]",
]


def run(command: Command, folder: Path, profile: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    profile.save(folder / "profile.npz")
    place = [f"env.profile={folder / 'profile.npz'}", ALIGNMENT, f"hydra.run.dir={folder / 'run'}"]
    assert command("evaluate.py", "experiment=worth", *SMALL, *place) == 0
    comparison = json.loads((folder / "run" / "comparison.json").read_text(encoding="utf-8"))
    with (folder / "run" / "worth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {claim["stated"]: claim for claim in comparison["claims"]}, rows


def test_where_everything_is_accepted_splitting_adds_nothing_and_the_law_holds(
    command: Command, tmp_path: Path
) -> None:
    claims, (row,) = run(command, tmp_path, accepted_only(None))
    assert (row["scenario"], row["link"], row["by"]) == ("paper", "digital", "optimum")
    assert abs(float(row["adds_no_cloud"])) < 1e-9
    stated = "alignment: splitting adds at least 0.02 in scenario paper, against opponents without the cloud"
    assert claims[stated]["verdict"] == "no"
    law = claims["the latency of a request is linear in the split, and the fastest split is an end"]
    assert law["verdict"] == "yes"
    assert "were every image accepted, splitting would add 0.0000" in law["measured"]
    best = claims["there is a setting in which splitting adds 0.05 or more, against all opponents"]
    assert best["verdict"] == "no"
    assert best["why"] == "there is none in the ranges tried"


def test_where_splits_alone_are_accepted_it_is_found_and_judged_in_other_states(
    command: Command, tmp_path: Path
) -> None:
    profile = honest_profile(steps=(20,))
    splits = {key: tuple(range(1, 20)) for key in profile.part("test").tables if key.receiver == "finetuned"}
    claims, (row,) = run(command, tmp_path, accepted_only(splits))
    assert float(row["opponents"]) == 0.0
    assert float(row["adds"]) == pytest.approx(float(row["splits"]))
    best = claims["there is a setting in which splitting adds 0.05 or more, against all opponents"]
    assert best["verdict"] == "yes"
    assert "in other states or sessions" in best["measured"]
    two = "alignment: two plans, everything at the edge as WebP or at the user, are above all splits (T = 20)"
    assert claims[two]["verdict"] == "no"
    (few,) = (claim for stated, claim in claims.items() if "fewer steps are worth more than splitting" in stated)
    assert few["verdict"] == "reported"
    assert "not measured" in few["measured"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": []}, "experiment.links must name at least one, got none"),
        ({"links": ["wire"]}, "experiment.links"),
        ({"acceptance": ["taste"]}, "experiment.acceptance"),
        ({"costs": ["measured"]}, "experiment.costs"),
        ({"edge_availability": [0.5, 1.5]}, "experiment.edge_availability"),
        ({"user_step_s": [0.0, 0.5]}, "experiment.user_step_s"),
    ],
)
def test_options_out_of_their_bounds_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Options(**GOOD | changes)


def test_the_best_of_many_places_is_judged_by_what_it_adds_again() -> None:
    lucky, usual = Interval(0.2, 0.1, 0.3), Interval(0.0, 0.0, 0.0)
    asked = []

    def candidate(name: str, first: Interval, again: Interval) -> Candidate:
        def judge() -> dict[str, Interval]:
            asked.append(name)
            return {"": again}

        return Candidate(name, {"": first}, judge)

    claim = best_place([candidate("usual", usual, lucky), candidate("lucky", lucky, usual)], "")
    assert asked == ["lucky"]
    assert claim.verdict == "no"
    assert "the best of 2 settings tried is lucky" in claim.measured
