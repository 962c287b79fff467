"""One rule for each kind of claim: the same numbers have the same verdict wherever they are found."""

from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import Interval
from agents.experiments.shared.claims import (
    Claim,
    Near,
    Verdict,
    by_construction,
    order_claim,
    per_receiver,
    report,
    trend_claim,
    value_claim,
)

INF = float("inf")


def exactly(value: float) -> Interval:
    return Interval(value, value, value)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (0.92, "no"),  # "about 0.7" was met by it before
        (0.66, "yes"),
        (0.749, "yes"),
        (float("nan"), "undecided"),
        (Interval(0.70, 0.66, 0.74), "yes"),
        (Interval(0.70, 0.60, 0.80), "undecided"),
        (Interval(0.80, 0.76, 0.84), "no"),
    ],
)
def test_a_value_needs_a_tolerance(measured: float | Interval, verdict: Verdict) -> None:
    claim = value_claim("paper", "about 0.7", "measured", [(Near(0.70, 0.05), measured)], "why")
    assert (claim.verdict, claim.rule) == (verdict, "within 0.05")
    assert Near.share(-40.0, 0.25) == Near(-40.0, 10.0)


@pytest.mark.parametrize(
    ("leads", "above", "verdict"),
    [
        ([Interval(0.1, 0.05, 0.15)], 0.0, "yes"),
        ([exactly(0.0)], 0.0, "undecided"),  # one row at +0.0 dB agreed and its twin differed before
        ([Interval(-0.000, -0.004, 0.003)], 0.0, "undecided"),  # "differs" before
        ([Interval(0.1, 0.05, 0.15), Interval(0.0, -0.1, 0.1)], 0.0, "undecided"),
        ([Interval(0.1, 0.05, 0.15), Interval(-0.2, -0.3, -0.1)], 0.0, "no"),
        ([Interval(0.0, -0.1, 0.1), Interval(-0.2, -0.3, -0.1)], 0.0, "no"),
        ([Interval(0.3, 0.1, 0.5)], 0.4, "undecided"),
        ([Interval(0.3, 0.25, 0.35)], 0.4, "no"),
        ([Interval(-0.01, -0.02, 0.0)], -0.03, "yes"),
        ([Interval(1.0, -INF, INF)], 0.0, "undecided"),
        ([], 0.0, "undecided"),
    ],
)
def test_an_order_needs_intervals_clear_of_a_margin(leads: list[Interval], above: float, verdict: Verdict) -> None:
    claim = order_claim("project", "ahead", "measured", leads, "why", above)
    assert (claim.verdict, claim.rule) == (verdict, f"intervals clear of {above:g}")
    assert bool(claim.why) is (verdict != "yes")


COURSE = np.array([1.7, 4.0, 6.5, 8.0, 7.2, 10.0, 12.0, 15.4])


@pytest.mark.parametrize(
    ("course", "rises", "verdict"),
    [
        (COURSE, True, "yes"),  # a dip of 0.8 in a rise of 13.7 differed before
        (COURSE[::-1], True, "no"),
        (COURSE[::-1], False, "yes"),
        (np.array([1.0, 2.0, 3.0, 4.0, 3.9, 2.9, 1.9, 0.9]), True, "undecided"),  # up and down again
        (np.full(8, 3.0), True, "undecided"),
        (COURSE[:3], True, "undecided"),  # three points are in order by chance once in six times
    ],
)
def test_a_rise_is_a_rank_correlation(course: np.ndarray, rises: bool, verdict: Verdict) -> None:
    values = course + np.random.default_rng(0).normal(0, 0.1, (400, 1))
    points = list(range(len(course)))
    claim = trend_claim("paper", "it rises", "from here to there", points, values, "why", rises)
    assert claim.verdict == verdict
    assert claim.measured.startswith("from here to there; rank correlation ")


def test_a_rise_within_the_noise_of_its_points_is_open() -> None:
    values = np.random.default_rng(1).normal(0, 3.0, (20, 8)) + 0.001 * COURSE
    assert trend_claim("paper", "it rises", "", list(range(8)), values).verdict == "undecided"


def test_verdicts_in_words() -> None:
    def told(source: str, verdict: str) -> str:
        return Claim(source, "s", "m", verdict, "r", "" if verdict == "yes" else "noise").told  # type: ignore[arg-type]

    assert [told("paper", verdict) for verdict in ("yes", "no")] == ["agrees", "differs: noise"]
    assert [told("project", verdict) for verdict in ("yes", "no")] == ["met", "not met: noise"]
    assert told("paper", "undecided") == "undecided: noise"
    assert report("share", "3 %").told == "reported"
    assert Claim("paper", "s", "m", "yes", "within 0.1").asked == "paper: s [within 0.1]"


def test_what_could_not_be_otherwise_is_not_counted() -> None:
    claims = [by_construction("holds", "it does", holds, "a mistake") for holds in (True, False)]
    assert [claim.told for claim in claims] == ["holds", "broken: a mistake"]
    assert not any(claim.counts for claim in [*claims, report("share", "3 %")])
    assert order_claim("paper", "ahead", "measured", [exactly(1.0)]).counts


def test_claims_name_their_receiver() -> None:
    claims = per_receiver({"rematch": 1.0}, lambda value: [order_claim("paper", "ahead", "far", [exactly(value)])])
    assert [claim.measured for claim in claims] == ["receiver rematch: far"]
