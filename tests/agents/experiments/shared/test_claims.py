from __future__ import annotations

from agents.experiments.shared.findings import bar, paper, report


def test_verdicts_follow_what_was_measured() -> None:
    assert paper("rises", "it rises", True, "unused").verdict == "agrees"
    assert paper("rises", "it falls", False, "noise").verdict == "differs: noise"
    assert bar("above 1", "0.5", False, "too slow").verdict == "not met: too slow"
    assert bar("above 1", "2", True).verdict == "met"
    assert report("share", "3 %").verdict == "reported"


def test_a_reason_is_kept_only_where_it_is_needed() -> None:
    assert paper("rises", "it rises", True, "unused").why == ""
    assert bar("above 1", "0.5", False, "too slow").why == "too slow"
