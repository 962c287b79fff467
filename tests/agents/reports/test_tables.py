from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from agents.evaluation.entries import Outcomes
from agents.evaluation.statistics import Interval, flat
from agents.reports.tables import render, summarise, way_text
from envs.files import write_rows

NAMES = ("latency_s", "energy_j", "attempts", "failed", "split")


def outcomes(satisfaction: float) -> Outcomes:
    return {name: np.ones(40) for name in NAMES} | {
        "reward": np.full(40, satisfaction),
        "episode": np.arange(40) // 20,
        "request": np.arange(40) % 8,
    }


RESULTS = {
    "two_split": outcomes(0.6),
    "oracle_bound": outcomes(0.8),
    "mine": outcomes(0.7),
    "best_fixed": outcomes(0.5),
}


def test_rows() -> None:
    rows = {row.policy: row for row in summarise(RESULTS)}
    assert list(rows) == ["oracle_bound", "mine", "two_split", "best_fixed"]
    mine = rows["mine"]
    assert mine.relative_to_bound == pytest.approx(0.7 / 0.8)
    assert (mine.gain_over_fixed.mean, mine.gain_over_fixed.low) == pytest.approx((0.2, 0.2))
    way = mine.way_to_bound
    assert (way.mean, way.low, way.high) == pytest.approx((0.5, 0.5, 0.5))
    assert math.isnan(rows["best_fixed"].gain_over_fixed.mean)


def test_comparisons_need_their_opponents() -> None:
    (row,) = summarise({"mine": outcomes(0.7)})
    assert math.isnan(row.relative_to_bound)
    assert math.isnan(row.way_to_bound.mean)


def test_no_way_leads_down() -> None:
    """A myopic oracle may be below the rule: there is no way from the rule to it."""
    for oracle in (0.6, 0.5):
        rows = summarise(RESULTS | {"oracle_bound": outcomes(oracle)})
        assert all(math.isnan(row.way_to_bound.mean) for row in rows)
        console = Console(width=80, file=(said := io.StringIO()))
        console.print(render(rows, "Policies"))
        (line,) = [line for line in said.getvalue().splitlines() if line.strip().startswith("mine")]
        assert "–" in line


@pytest.mark.parametrize("mine", [0.59, 0.1])
def test_a_way_that_leads_back_has_no_per_cent(mine: float) -> None:
    rows = summarise(RESULTS | {"two_split": outcomes(0.7999), "mine": outcomes(mine)})
    console = Console(width=80, file=(said := io.StringIO()))
    console.print(render(rows, "Policies"))
    (line,) = [line for line in said.getvalue().splitlines() if line.strip().startswith("mine")]
    assert " below 0 " in line
    assert next(row for row in rows if row.policy == "mine").way_to_bound.mean < -1  # which the CSV file keeps


def test_a_way_in_words() -> None:
    assert [way_text(share) for share in (-590.0, -0.001, 0.0, 0.594, 1.0, math.nan)] == [
        "below 0",
        "below 0",
        "0%",
        "59%",
        "100%",
        "–",
    ]
    assert way_text(Interval(0.594, 0.482, 0.7)) == "59% (95 % 48% to 70%)"
    assert way_text(Interval(-0.1, -0.2, 0.1)) == "below 0"


def test_a_way_has_an_interval_over_sessions_and_requests() -> None:
    luck = np.random.default_rng(0).uniform(0, 0.4, 40)
    results = RESULTS | {"mine": outcomes(0.6) | {"reward": 0.6 + luck}, "oracle_bound": outcomes(1.0)}
    way = next(row for row in summarise(results) if row.policy == "mine").way_to_bound
    assert way.mean == pytest.approx(luck.mean() / 0.4)
    assert 0.02 < way.half < 0.3


def test_terminal_table_fits_80_columns() -> None:
    console = Console(width=80, record=True, file=None, quiet=True)
    with console.capture() as capture:
        noisy = {name: each | {"reward": each["reward"] + np.linspace(-0.3, 0.3, 40)} for name, each in RESULTS.items()}
        noisy["non_finetuning"] = outcomes(0.65) | {"split": np.full(40, 12.5), "latency_s": np.full(40, 12.5)}
        Console.print(console, render(summarise(noisy), "Policies"))
    text = capture.get() or console.export_text()
    assert "…" not in text


def test_csv_has_all_digits(tmp_path: Path) -> None:
    rows = summarise(RESULTS)
    write_rows(tmp_path / "deep" / "table.csv", [flat(vars(row)) for row in rows])
    with (tmp_path / "deep" / "table.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [float(line["way_to_bound"]) for line in read] == [row.way_to_bound.mean for row in rows]
