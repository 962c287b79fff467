"""What was stated, what was measured, and whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Claim:
    """One line of comparison; made from the numbers, never written down as agreeing.

    Attributes:
        source: `paper`, or `project` for a bar or a statement of our own.
        stated: what the paper says, or the bar.
        measured: what the run found, with its figures.
        met: whether they agree; None where there is nothing to agree with.
        why: evidence for the difference; empty where they agree.
    """

    source: Literal["paper", "project"]
    stated: str
    measured: str
    met: bool | None
    why: str = ""

    @property
    def verdict(self) -> str:
        """`agrees`, `met`, `reported`, or what is not met and why."""
        if self.met is None:
            return "reported"
        yes, no = ("agrees", "differs") if self.source == "paper" else ("met", "not met")
        if self.met:
            return yes
        return f"{no}: {self.why}" if self.why else no


def paper(stated: str, measured: str, met: bool, why: str = "") -> Claim:
    """A statement of the paper; `why` is kept only where it is not met."""
    return Claim("paper", stated, measured, bool(met), "" if met else why)


def bar(stated: str, measured: str, met: bool, why: str = "") -> Claim:
    """A bar of the project; `why` is kept only where it is not met."""
    return Claim("project", stated, measured, bool(met), "" if met else why)


def report(stated: str, measured: str) -> Claim:
    """A finding of our own that nothing is to be compared with."""
    return Claim("project", stated, measured, None)
