from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest

from agents.experiments.ablations import _claims
from agents.experiments.shared.learning import Curves
from tests.profiles import ALIGNMENT

CURVES = Curves(
    np.array([0, 10, 20]), np.array([[0.1, 0.96, 0.99], [0.2, 0.5, 0.97], [0.99, 0.3, 0.2]]), np.array([0.5, 0.4, 0.3])
)


def test_episodes_until_a_share_are_the_median_over_agents() -> None:
    assert CURVES.until(0.95) == 10  # of 10, 20 and 0
    assert CURVES.until(0.98) == 20  # of 20, never and 0
    assert CURVES.until(0.995) == inf


def test_the_end_is_the_last_tenth_of_each_curve() -> None:
    assert CURVES.final.tolist() == [0.99, 0.97, 0.2]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ("{typo: {n_step: 3}}", "n_step"),
        ("{typo: 3}", "experiment.variants.typo must map names to values, got 3"),
        ("null", "experiment.variants must map labels"),
    ],
)
def test_bad_variants_are_refused_before_any_work(
    command: Callable[..., int],
    profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    variants: str,
    message: str,
) -> None:
    settings = ["~experiment.variants", f"+experiment.variants={variants}", f"env.profile={profile_file}", ALIGNMENT]
    assert command("evaluate.py", "experiment=ablations", f"hydra.run.dir={tmp_path / 'run'}", *settings) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run" / "curves").exists()


@pytest.mark.parametrize(
    ("finals", "said"),
    [
        ([0.990, 0.982, 0.994], "no conclusion"),  # ranges that overlap
        ([0.95, 0.94, 0.955], "worse"),
        ([0.999, 0.995, 1.0], "better"),
    ],
)
def test_overlapping_ranges_conclude_nothing(finals: list[float], said: str) -> None:
    def ending_at(each: list[float]) -> Curves:
        return Curves(np.array([0, 10]), np.array([[0.0, value] for value in each]), np.zeros(len(each)))

    base = [0.991, 0.985, 0.992]
    first, other = _claims({"D3QN": ending_at(base), "changed": ending_at(finals)})
    assert "against" not in first.measured
    assert other.measured.endswith(f"against D3QN, agents of one seed paired: {said}")
    alone = _claims({"D3QN": ending_at(base[:1]), "changed": ending_at(finals[:1])})[1]
    assert alone.measured.endswith("no conclusion")  # one agent is none
