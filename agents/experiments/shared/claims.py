"""Claims, and the one rule for each kind of them; no experiment judges by a rule of its own.

- A value agrees within a tolerance, which stands in the code beside the paper's number (`Near`).
- An order agrees where the interval of every difference is clear of zero, or of the margin that is stated.
- A rise or a fall agrees where the rank correlation is clear of zero; a dip alone says nothing.

What its interval leaves open is undecided, a verdict of its own. Intervals are of 95 % each, however many a claim has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, rank_trend

T = TypeVar("T")
Source = Literal["paper", "project", "construction"]
Verdict = Literal["yes", "no", "undecided", "reported"]
WORDS: dict[Source, tuple[str, str]] = {
    "paper": ("agrees", "differs"),
    "project": ("met", "not met"),
    "construction": ("holds", "broken"),
}
"""What a yes and a no are called."""
SIGNIFICANCE = 0.05
"""Of the permutation test of a trend."""


@dataclass(frozen=True)
class Claim:
    """One line of comparison; made from the numbers by the functions below, never written down as agreeing.

    Attributes:
        source: `paper`; `project` for a bar of our own; `construction` for what could not be otherwise and is only
            looked at: it counts for nothing.
        stated: what the paper says, or the bar.
        measured: what the run found, with its figures.
        verdict: of the rule; `reported` where there is nothing to agree with.
        rule: that was applied, in words; empty where none was.
        why: evidence for the difference; empty where they agree.
    """

    source: Source
    stated: str
    measured: str
    verdict: Verdict
    rule: str = ""
    why: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is one of those that are counted: what is reported or could not be otherwise is not."""
        return self.source != "construction" and self.verdict != "reported"

    @property
    def told(self) -> str:
        """The verdict in words, with the reason."""
        yes, no = WORDS[self.source]
        words = {"yes": yes, "no": no}.get(self.verdict, self.verdict)
        return f"{words}: {self.why}" if self.why else words

    @property
    def asked(self) -> str:
        """Who states what, and by which rule it is judged."""
        return f"{self.source}: {self.stated}" + (f" [{self.rule}]" if self.rule else "")


@dataclass(frozen=True)
class Near:
    """A value that a paper states, and how far a measured one may be from it.

    Attributes:
        stated, tolerance: in the unit of what is measured.
    """

    stated: float
    tolerance: float

    @classmethod
    def share(cls, stated: float, share: float) -> Near:
        """With a tolerance in proportion to the value."""
        return cls(stated, share * abs(stated))

    def verdict(self, measured: float | Interval) -> Verdict:
        """Of a number that is exact, or of one with its interval: wholly inside, wholly outside, or undecided."""
        each = measured if isinstance(measured, Interval) else Interval(*3 * (float(measured),))
        low, high = each.low - self.stated, each.high - self.stated
        if low >= -self.tolerance and high <= self.tolerance:
            return "yes"
        return "no" if low > self.tolerance or high < -self.tolerance else "undecided"


def value_claim(
    source: Source, stated: str, measured: str, values: Iterable[tuple[Near, float | Interval]], why: str = ""
) -> Claim:
    """A claim about values: all of them must lie within their tolerances."""
    pairs = list(values)
    tolerances = dict.fromkeys(
        f"{near.tolerance:.3g}" if near.tolerance < 1000 else f"{near.tolerance:,.0f}" for near, _ in pairs
    )
    verdict = _all(near.verdict(value) for near, value in pairs)
    return _judged(source, stated, measured, verdict, f"within {', '.join(tolerances)}", why)


def order_claim(
    source: Source, stated: str, measured: str, leads: Iterable[Interval], why: str = "", above: float = 0.0
) -> Claim:
    """A claim about an order: every lead must be clear of zero, or of a margin.

    Args:
        source, stated, measured, why: of the claim.
        leads: what the one has more than each of the others.
        above: by how much more, at least.
    """
    verdict = _all(_clear(lead, above) for lead in leads)
    return _judged(source, stated, measured, verdict, f"intervals clear of {above:g}", why)


def trend_claim(
    source: Source,
    stated: str,
    measured: str,
    points: Sequence[float],
    values: NDArray[np.number],
    why: str = "",
    rises: bool = True,
) -> Claim:
    """A claim that something rises, or falls: the rank correlation (Kendall's) of its means with the points.

    It must be clear of zero twice: over resampled rows, and beside the same means in any other order.

    Args:
        source, stated, measured, why: of the claim.
        points: [P].
        values: [N, P], in the same N independent states, or of the same requests, at every point.
        rises: or falls.
    """
    trend = rank_trend(points, values)
    verdict = _clear(trend.interval if rises else -trend.interval, 0.0)
    if not trend.p_value < SIGNIFICANCE:
        verdict = "undecided"
    text = f"{measured}; rank correlation {trend.interval.text('+.2f')}, permutation test p = {trend.p_value:.2g}"
    return _judged(source, stated, text, verdict, f"rank correlation clear of 0, p < {SIGNIFICANCE}", why)


def by_construction(stated: str, measured: str, holds: bool, why: str = "") -> Claim:
    """What must be so, looked at all the same: a mistake in the code would show here."""
    return _judged("construction", stated, measured, "yes" if holds else "no", "", why)


def report(stated: str, measured: str) -> Claim:
    """A finding of our own that nothing is to be compared with."""
    return Claim("project", stated, measured, "reported")


def per_receiver(results: Mapping[str, T], claims: Callable[[T], Iterable[Claim]]) -> list[Claim]:
    """The claims about the result of each receiver, which what was measured names."""
    return [
        replace(claim, measured=f"receiver {receiver}: {claim.measured}")
        for receiver, each in results.items()
        for claim in claims(each)
    ]


def _clear(lead: Interval, above: float) -> Verdict:
    if lead.low > above:
        return "yes"
    return "no" if lead.high < above else "undecided"


def _all(verdicts: Iterable[Verdict]) -> Verdict:
    """Of a claim about several things: one that is not so refutes it, one that is open leaves it open."""
    found = set(verdicts)
    return "no" if "no" in found else "yes" if found == {"yes"} else "undecided"


def _judged(source: Source, stated: str, measured: str, verdict: Verdict, rule: str, why: str) -> Claim:
    return Claim(source, stated, measured, verdict, rule, "" if verdict == "yes" else why)
