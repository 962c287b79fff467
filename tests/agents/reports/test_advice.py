"""Advice in words and as a picture."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agents.evaluation.advice import Advice, AdviceSettings, advise
from agents.evaluation.statistics import Interval
from agents.evaluation.worth import plan_lists
from agents.planning.tree import Cut, Leaf
from agents.reports.advice import WORDINGS, advice_text, draw_advice, plan_words, rule_lines, verdict
from envs import SplitSettings
from envs.plans import expand
from tests.profiles import honest_profile


@pytest.fixture(scope="module")
def found() -> Advice:
    scenario = {"edge_availability": (0.02, 1.0), "user_availability": (0.1, 1.0)}
    settings = SplitSettings(profile=honest_profile(6), requests="test", acceptance="alignment", scenario=scenario)
    return advise(settings, plan_lists(settings), AdviceSettings(160, 6, False, 0))


def ruled(found: Advice, rule: Cut | Leaf) -> list[str]:
    return rule_lines(replace(found, rule=rule))


def test_the_rule_names_plans_and_thresholds_that_there_are(found: Advice) -> None:
    lines = rule_lines(found)
    names = {plan.name for plan in found.plans}
    words = "|".join(each.name for each in WORDINGS.values())
    assert len(lines) > 1
    for line in lines:
        condition, _, plan = line.partition(":")
        assert not plan or plan.strip() in names
        if "if" in condition:
            asked = re.search(rf"if ({words}) (?:<|>=) ([\d.e+-]+) ", f"{condition} ")
            assert asked is not None
            name, wording = next((key, each) for key, each in WORDINGS.items() if each.name == asked[1])
            values = found.states[0][:, found.quantities.index(name)] / wording.scale
            assert values.min() <= float(asked[2]) <= values.max()


def test_a_rule_reads_as_a_chain_where_it_can(found: Advice) -> None:
    names = [plan.name for plan in found.plans]
    snr, edge = (found.quantities.index(name) for name in ("snr_db", "edge_availability"))
    assert ruled(found, Leaf(0, 1.0)) == [f"always {names[0]}"]
    low = Cut(edge, 0.4, Leaf(1, 0.1), Leaf(2, 0.4))
    assert ruled(found, Cut(snr, 3.5, low, Leaf(0, 0.5))) == [
        f"if SNR >= 3.5 dB: {names[0]}",
        f"else if edge free < 40 %: {names[1]}",
        f"else: {names[2]}",
    ]
    assert ruled(found, Cut(snr, 3.5, low, Cut(edge, 0.2, Leaf(3, 0.25), Leaf(0, 0.25)))) == [
        "if SNR < 3.5 dB:",
        f"    if edge free < 40 %: {names[1]}",
        f"    else: {names[2]}",
        f"else if edge free < 20 %: {names[3]}",
        f"else: {names[0]}",
    ]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("semaigc(7)@8", "7 steps at the edge, latent sent, 1 step at the user"),
        ("semaigc(8)_u4@8", "8 steps at the edge, latent sent as u4, decoded at the user"),
        ("edge_aigc_webp@5", "5 steps at the edge, image sent as webp75"),
        ("cloud_aigc_webp", "20 steps in the cloud, image sent as webp75"),
        ("local_light_aigc", "20 steps at the user by the light network"),
    ],
)
def test_what_a_plan_does_in_words(name: str, words: str) -> None:
    assert plan_words(expand(name)[0]) == words


@pytest.mark.parametrize(
    ("limits", "word"), [((0.001, 0.004), "No"), ((0.015, 0.025), "Perhaps"), ((0.021, 0.08), "Yes")]
)
def test_a_verdict_looks_at_the_interval(limits: tuple[float, float], word: str) -> None:
    assert verdict(Interval(sum(limits) / 2, *limits)).partition(":")[0] == word


def test_all_of_it_fits_on_a_screen(found: Advice) -> None:
    text = advice_text(found)
    lines = text.splitlines()
    assert len(lines) < 50
    assert max(map(len, lines)) <= 130
    assert f"best fixed plan {found.best_fixed}" in text
    assert f"{found.satisfaction['rule'].mean:.3f}" in text
    assert "found on 6 requests, judged on 6 others" in text
    assert "fewer steps cost no quality" not in text
    assert "fewer steps cost no quality" in advice_text(
        replace(found, settings=replace(found.settings, acceptance="similarity"))
    )


def test_wishes_that_nothing_meets_are_said(found: Advice) -> None:
    nothing = Interval(float("nan"), float("nan"), float("nan"))
    text = advice_text(replace(found, share=nothing))
    assert "No plan satisfies anybody here" in text
    assert "nan" not in text


def test_the_picture_shows_the_plans_of_the_rule_and_all_that_is_compared(found: Advice) -> None:
    figure = draw_advice(found)
    left, right = figure.axes
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [name for name in found.rule_plans if name in shown]
    assert shown[0] == found.rule_plans[0]
    assert (left.get_xlabel(), left.get_ylabel()) != ("", "")
    assert right.get_yticklabels()[0].get_text() == f"best fixed plan\n{found.best_fixed}"
    assert len(right.patches) == 5
