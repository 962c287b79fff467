"""How many steps acceptance needs: by hand, from a profile of several T."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from envs.transceiver.profile.profile import ProfilePart, QualityProfile
from envs.transceiver.profile.table import METRICS, TableKey
from tests.profiles import ALIGNMENT, synthetic_part

Command = Callable[..., int]
REQUESTS = 10


def part_of_several(name: str, accepted: dict[int, int]) -> ProfilePart:
    """Requests of which so many are accepted noise-free with each T; hand-overs of all draws from 3 dB on."""
    tables, references = {}, {}
    for steps, count in accepted.items():
        part = synthetic_part(name, REQUESTS, steps, 3, seed=0)
        references[steps] = part.references[steps].copy()
        references[steps][METRICS.index("alignment")] = np.where(np.arange(REQUESTS) < count, 0.95, 0.2)
        key = TableKey("finetuned", steps)
        table = part.table(key)
        measured = np.where((table.snr_db >= 3.0)[:, None], 0.95, 0.2) * np.ones_like(table.measured)
        measured[:, :, 0] = np.nan
        tables[key] = replace(table, measured=measured.astype(np.float32))
        coded = {"measured": tables[key].measured[..., :0], "noise_free": np.zeros_like(table.noise_free)}
        tables[TableKey("finetuned", steps, "u4")] = replace(table, **coded)  # another question
    return replace(part, references=references, tables=tables)


def run(command: Command, folder: Path, accepted: dict[int, int]) -> tuple[list[dict[str, str]], dict[str, str]]:
    parts = {("prompt", name): part_of_several(name, accepted) for name in ("train", "test")}
    QualityProfile(parts, 20, {"weights": "synthetic", "channel": "awgn"}).save(folder / "several.npz")
    place = [f"env.profile={folder / 'several.npz'}", ALIGNMENT, f"hydra.run.dir={folder / 'run'}"]
    assert command("evaluate.py", "experiment=steps", *place) == 0
    with (folder / "run" / "steps.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    claims = json.loads((folder / "run" / "comparison.json").read_text(encoding="utf-8"))["claims"]
    (claim,) = [each for each in claims if each["stated"] == "T = 8 is accepted as often as T = 20"]
    return rows, claim


@pytest.mark.parametrize(("few", "verdict"), [(9, "yes"), (10, "undecided"), (2, "no")])
def test_few_steps_are_accepted_as_often_within_a_tolerance(
    command: Command, tmp_path: Path, few: int, verdict: str
) -> None:
    rows, claim = run(command, tmp_path, {20: 9, 8: few})
    assert claim["verdict"] == verdict
    assert claim["measured"].startswith(f"{(few - 9) / 10:+.3f} (95 % ")
    noise_free = {
        row["num_inference_steps"]: row for row in rows if row["handover"] == "" and row["rule"] == "alignment"
    }
    assert {steps: float(row["accepted"]) for steps, row in noise_free.items()} == {"20": 0.9, "8": few / 10}
    assert all(math.isinf(float(row["snr_db"])) and row["requests"] == "10" for row in noise_free.values())


def test_hand_overs_at_every_snr_and_split(command: Command, tmp_path: Path) -> None:
    rows, _ = run(command, tmp_path, {20: 9, 8: 9})
    handed = [row for row in rows if row["handover"]]
    assert {(row["num_inference_steps"], row["handover"], row["split"]) for row in handed} == {
        (str(steps), str(share), str(round(share * steps))) for steps in (20, 8) for share in (0.25, 0.5, 0.75)
    }
    for row in handed:
        if not math.isinf(float(row["snr_db"])):
            assert float(row["accepted"]) == float(float(row["snr_db"]) >= 3.0)


def test_a_t_that_was_not_measured_is_named(command: Command, tmp_path: Path) -> None:
    rows, claim = run(command, tmp_path, {20: 9, 5: 9})
    assert claim["verdict"] == "reported"
    assert claim["measured"] == "not measured: the profile has no T = 8"
    assert {row["num_inference_steps"] for row in rows} == {"20", "5"}
