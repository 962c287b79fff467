"""The page of verdicts: papers' claims and our bars are counted apart, and only what could come out otherwise."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from agents.commands.reproduction import read_comparisons, reproduction_page
from agents.evaluation.statistics import Interval
from agents.experiments.shared.claims import Claim, Near, by_construction, order_claim, report, value_claim

AHEAD, OPEN = Interval(1.0, 0.5, 1.5), Interval(0.1, -0.5, 1.5)
CLAIMS = [
    value_claim("paper", "about 0.7", "0.92", [(Near(0.7, 0.05), 0.92)], "the receiver is better"),
    order_claim("paper", "ahead", "+1", [AHEAD]),
    order_claim("paper", "ahead | everywhere", "+0.1", [OPEN], "one is close"),
    order_claim("project", "a bar", "+1", [AHEAD]),
    by_construction("it cannot fail", "it did not", True),
    report("a course", "1, 2, 3"),
]


def comparison(name: str, claims: list[Claim]) -> dict[str, object]:
    facts = {"name": name, "title": "T", "source": "s", "seconds": 1.0, "size": "full", "figures": [], "tables": []}
    return facts | {"claims": [asdict(claim) for claim in claims], "notes": []}


def test_verdicts_are_counted_by_who_says_it() -> None:
    found = [comparison("semaigc_fig4", CLAIMS), comparison("euci_fig8", CLAIMS[3:])]
    page = reproduction_page(found, "pictures")
    assert "| [`semaigc_fig4`](#semaigc_fig4) | T | 1, 1, 1 | 1, 0, 0 |" in page
    assert "| [`euci_fig8`](#euci_fig8) | T | – | 1, 0, 0 |" in page
    assert "| all | | 1, 1, 1 | 2, 0, 0 |" in page
    assert "| paper: ahead \\| everywhere [intervals clear of 0] | +0.1 | undecided: one is close |" in page
    assert "| paper: about 0.7 [within 0.05] | 0.92 | differs: the receiver is better |" in page
    assert "| construction: it cannot fail | it did not | holds |" in page


def test_a_comparison_of_older_verdicts_is_refused(tmp_path: Path) -> None:
    old = comparison("euci_fig8", []) | {"claims": [{"source": "paper", "stated": "s", "measured": "m", "met": True}]}
    (tmp_path / "euci_fig8").mkdir()
    (tmp_path / "euci_fig8" / "comparison.json").write_text(json.dumps(old))
    with pytest.raises(ValueError, match="is not a comparison that an experiment wrote"):
        read_comparisons(tmp_path)
