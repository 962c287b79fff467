from __future__ import annotations

import pytest

from agents.evaluation.statistics import Interval, flat

GAIN = Interval(0.125, -0.25, 0.75)


def test_texts() -> None:
    assert GAIN.text("+.2f", " s") == "+0.12 s (95 % -0.25 to +0.75)"
    assert GAIN.span(".1f") == "-0.2 to 0.8"
    assert (-GAIN).text("+.3f") == "-0.125 (95 % -0.750 to +0.250)"
    assert pytest.approx(0.5) == GAIN.half


def test_an_interval_has_three_columns() -> None:
    row = {"policy": "mine", "gain": GAIN, "failed": 0.5}
    assert flat(row) == {"policy": "mine", "gain": 0.125, "gain_low": -0.25, "gain_high": 0.75, "failed": 0.5}
    assert list(flat(row)) == ["policy", "gain", "gain_low", "gain_high", "failed"]
