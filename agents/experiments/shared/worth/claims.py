"""What the experiment `worth` claims, from its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.evaluation.planned import Planned
from agents.evaluation.statistics import Interval
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, Optima
from agents.experiments.shared.claims import Claim, Source, by_construction, order_claim, report, trend_claim
from agents.experiments.shared.worth.law import LawChecked
from agents.experiments.shared.worth.maps import AGAINST, WORTH, WorthMap
from agents.experiments.shared.worth.sweeps import Sweep

LARGE = 0.05
"""What splitting would have to add in some setting for it to be a reason to split."""
NAMED_PLANS = 4
"""The most taken ones, which a claim names."""
FORM = "+.4f"


@dataclass(frozen=True)
class Candidate:
    """A place where splitting may pay.

    Attributes:
        place: in words.
        adds: suffix of `AGAINST` -> what it adds there.
        again: the same in other states or sessions, since the best of many places was lucky too.
    """

    place: str
    adds: Mapping[str, Interval]
    again: Callable[[], Mapping[str, Interval]]


@dataclass(frozen=True)
class Evidence:
    """What claims are made from.

    Attributes:
        paper: rule -> the optima in scenario `paper`, over the first link and costs.
        planned: words -> planners with their bounds.
        sweeps: rule -> over load and charge.
        maps: the maps.
        law: link -> what was seen of the law.
        candidates: all places that were tried.
        few, many: two T.
    """

    paper: Mapping[str, Optima]
    planned: Mapping[str, Planned]
    sweeps: Mapping[str, Sequence[Sweep]]
    maps: Sequence[WorthMap]
    law: Mapping[str, LawChecked]
    candidates: Sequence[Candidate]
    few: int
    many: int


def claims_of(evidence: Evidence) -> list[Claim]:
    """All of them."""
    return [
        *(claim for rule, found in evidence.paper.items() for claim in _in_paper(rule, found, evidence)),
        *(best_place(evidence.candidates, suffix) for suffix in AGAINST),
        *(_load(rule, sweeps) for rule, sweeps in evidence.sweeps.items()),
        *(_bounds(words, found) for words, found in evidence.planned.items()),
        *(_border(each) for each in evidence.maps),
        _law(evidence.law),
    ]


def _in_paper(rule: str, found: Optima, evidence: Evidence) -> Iterable[Claim]:
    for suffix, words in AGAINST.items():
        gain = found.adds(cloud=not suffix)
        bound = found.bound_gain(ALL + suffix, CHOSEN + suffix)
        yield order_claim(
            "project",
            f"{rule}: splitting adds at least {WORTH:g} in scenario paper, against {words}",
            f"{gain.text(FORM)}: {found.mean(ALL + suffix).mean:.4f} with splits, "
            f"{found.mean(CHOSEN + suffix).mean:.4f} without",
            [gain],
            f"the optima that know the test requests are {bound.text(FORM)} apart",
            above=WORTH,
        )
    few, many = evidence.few, evidence.many
    lists = f"{ALL}{NO_CLOUD}@{many}", f"{CHOSEN}{NO_CLOUD}@{many}"
    yield _ahead(
        "project", f"{rule}: splitting adds something where everybody takes T = {many} steps, no cloud", found, *lists
    )
    pairs: list[tuple[Source, str, str, str]] = [
        ("project", f"two plans, everything at the edge as WebP or at the user, are above all splits (T = {many})",
         f"two@{many}", f"family@{many}"),
        ("paper", f"all splits are above the papers' opponents, the edge's raw pixels or the user (T = {many})",
         f"family@{many}", f"papers@{many}"),
        ("project", f"fewer steps are worth more than splitting: the two plans with T = {few} are above all splits "
         f"with T = {many}", f"two@{few}", f"family@{many}"),
    ]  # fmt: skip
    for source, stated, name, other in pairs:
        yield _ahead(source, f"{rule}: {stated}", found, name, other)
    yield report(f"{rule}: plans that the optimum takes, scenario paper", _taken(found))
    ends = [(found.gain(CHOSEN + suffix, "named" + suffix).text(FORM), words) for suffix, words in AGAINST.items()]
    yield report(
        f"{rule}: what both ends of the splits, which split nothing, add to the other opponents, scenario paper",
        "; ".join(f"{gain} among {words}" for gain, words in ends),
    )


def _ahead(source: Source, stated: str, found: Optima, name: str, other: str) -> Claim:
    if missing := [each for each in (name, other) if each not in found.earned]:
        return report(stated, f"not measured: the profile has no plans of {', '.join(missing)}")
    gain = found.gain(name, other)
    measured = f"{gain.text(FORM)}: {found.mean(name).mean:.4f} against {found.mean(other).mean:.4f}"
    return order_claim(source, stated, measured, [gain], f"it is {gain.text(FORM)} ahead")


def _taken(found: Optima) -> str:
    names, times = [], []
    for name in (ALL, ALL + NO_CLOUD):
        counts = np.bincount(found.actions(name), minlength=len(found.lists.names))
        most = np.argsort(-counts, kind="stable")[:NAMED_PLANS]
        names.append(", ".join(f"{found.lists.names[i]} {counts[i] / counts.sum():.0%}" for i in most if counts[i]))
        split = np.isin(found.actions(name), found.lists.members["splits"])
        times.append(f"a split in {split.mean():.0%} of the states")
    return f"{names[0]} ({times[0]}); without the cloud {names[1]} ({times[1]})"


def best_place(candidates: Sequence[Candidate], suffix: str) -> Claim:
    """The best of all places, judged again in other states: by the luck of the draw one of many is always good."""
    best = max(candidates, key=lambda each: each.adds[suffix].mean)
    again = best.again()[suffix]
    return order_claim(
        "project",
        f"there is a setting in which splitting adds {LARGE:g} or more, against {AGAINST[suffix]}",
        f"the best of {len(candidates)} settings tried is {best.place}: {best.adds[suffix].text(FORM)}, in other "
        f"states or sessions {again.text(FORM)}",
        [again],
        "there is none in the ranges tried" if again.high < LARGE else "the interval holds it",
        above=LARGE,
    )


def _load(rule: str, sweeps: Sequence[Sweep]) -> Claim:
    queue = sweeps[0]
    gains = queue.adds(NO_CLOUD)
    listed = ", ".join(f"{gain.mean:{FORM}} at {point:g} s" for point, gain in zip(queue.points, gains, strict=True))
    return trend_claim(
        "project",
        f"{rule}: what splitting adds without a cloud grows with the load of the edge, where both devices work at once "
        "on different requests",
        listed,
        [1.0 / point for point in queue.points],
        queue.session_gains(NO_CLOUD),
        "it does not",
    )


def _bounds(words: str, found: Planned) -> Claim:
    ways = [
        f"{found.adds(cloud=not suffix).text(FORM)} by planners, at most "
        f"{found.at_most(ALL + suffix, CHOSEN + suffix).text(FORM)} by the bound, against {against}"
        for suffix, against in AGAINST.items()
        if CHOSEN + suffix in found.bounds
    ]
    return report(
        f"what splitting adds where decisions reach later requests ({words})",
        f"{'; '.join(ways)}; splits that were left out lose at most {found.lost:.4f}",
    )


def _border(map_: WorthMap) -> Claim:
    shares = [f"{map_.share_worth(suffix):.0%} against {words}" for suffix, words in AGAINST.items()]
    x, y = map_.plane.labels
    return report(f"share of the map over {x} and {y} in which splitting adds {WORTH:g}", "; ".join(shares))


def _law(law: Mapping[str, LawChecked]) -> Claim:
    return by_construction(
        "the latency of a request is linear in the split, and the fastest split is an end",
        "; ".join(
            f"link {link}: largest deviation {each.deviation:.1e}, fastest at 0 or T in {each.at_end:.1%} of the "
            f"cases, at 1 in {each.at_one:.1%}; the fastest of all plans splits nothing in {each.unsplit:.1%} of the "
            f"states; were every image accepted, splitting would add {each.price_alone:.4f}"
            for link, each in law.items()
        ),
        all(each.holds for each in law.values()),
        "some split between is faster than both ends",
    )
