"""How many steps does acceptance need? Shares of accepted images over T, noise-free and handed over, from the profile.

An image is similar where it resembles the noise-free image of as many steps: fewer steps change that image too, and how
much they do is not in this. Intervals are over requests, each in the mean over its channel draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.claims import Claim, Near, report, value_claim
from agents.experiments.shared.findings import Findings, Row
from agents.experiments.shared.states import difference
from agents.experiments.shared.study import Study
from agents.reports.drawing import SNR_LABEL, draw_intervals, subplots
from agents.reports.style import GREY, colour_of, house_style
from envs.checks import Count, Points
from envs.transceiver import ACCEPTANCE_RULES, METRICS, QualityTable, TableKey

RULES = {rule.metric: rule.least for rule in ACCEPTANCE_RULES.values()}
"""Metric -> least value of an accepted image."""
AS_OFTEN = Near(0.0, 0.02)
"""Of shares of accepted images, one less the other."""
RULE_LABELS = {"alignment": "alignment", "ssim": "SSIM"}


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        receiver: of the hand-overs.
        handovers: shares of the T steps that are done at a hand-over.
        few, many: two T that the claim compares.
    """

    receiver: str
    handovers: Points
    few: Count
    many: Count


class Place(NamedTuple):
    """Where an image comes from: hand-over after a share of the steps (None: the generator alone), and SNR in dB."""

    handover: float | None
    snr_db: float


@dataclass(frozen=True)
class Acceptance:
    """One T.

    Attributes:
        splits: share of the steps -> steps at a hand-over.
        shares: rule -> place -> accepted share of the channel draws of each request, [R].
        snr_db: of the places over a noisy link.
        draws: channel draws.
    """

    splits: Mapping[float, int]
    shares: Mapping[str, Mapping[Place, NDArray[np.float64]]]
    snr_db: list[float]
    draws: int

    def intervals(self, rule: str) -> dict[Place, Interval]:
        """Mean over requests at every place."""
        places = self.shares[rule]
        return dict(zip(places, column_intervals(np.stack(list(places.values()), axis=1)), strict=True))


UNSPLIT = Place(None, math.inf)


def half_way(handovers: Points) -> Place:
    """The middle one of the hand-overs, over a perfect link."""
    return Place(handovers[len(handovers) // 2], math.inf)


def run(study: Study, options: Options) -> Findings:
    """Read the profile's tables of a receiver, whatever their T."""
    if not (options.handovers[0] > 0 and options.handovers[-1] < 1):
        raise ValueError(f"experiment.handovers must lie in (0, 1), got {options.handovers!r}")
    held = sorted(key for key in study.part.tables if key.receiver == options.receiver and not key.is_coded)
    if not held:
        study.part.table(TableKey(options.receiver, study.num_inference_steps))  # which says what was measured
    rows = study.part.table(held[0]).rows
    for key in held[1:]:
        rows = np.intersect1d(rows, study.part.table(key).rows)
    found = {key.num_inference_steps: _acceptance(study, key, rows, options.handovers) for key in held}
    study.note(
        f"receiver {options.receiver}, {len(rows)} requests of the profile's part {study.settings.requests}, the same "
        "for every T; similarity is to the noise-free image of the same T"
    )
    return Findings(
        "How many steps does acceptance need?",
        {"": _draw(found, options.handovers)},
        {"": [row for steps, each in found.items() for row in _rows(steps, each)]},
        _claims(found, options),
        study.notes,
    )


def _acceptance(study: Study, key: TableKey, rows: NDArray[np.int64], handovers: Points) -> Acceptance:
    table, steps = study.part.table(key), key.num_inference_steps
    kept = np.searchsorted(table.rows, rows)
    splits = {share: max(1, round(share * steps)) for share in handovers}
    shares = {}
    for rule, least in RULES.items():
        reference = study.part.reference(steps, rule)[rows]
        places = {UNSPLIT: (reference >= least).astype(np.float64)}
        for share, split in splits.items():
            places |= _handed_over(table, kept, rule, least, share, split)
        shares[rule] = places
    return Acceptance(splits, shares, table.snr_db.tolist(), table.draws)


def _handed_over(
    table: QualityTable, kept: NDArray[np.intp], rule: str, least: float, share: float, split: int
) -> dict[Place, NDArray[np.float64]]:
    """Accepted shares at one split, over a perfect link and at every SNR."""
    metric, column = METRICS.index(rule), table.splits.index(split)
    accepted = (table.values[metric, kept, column] >= least).mean(axis=-1)  # [R, S]
    places = {Place(share, math.inf): (table.noise_free[metric, kept, column] >= least).astype(np.float64)}
    return places | {Place(share, snr_db): own for snr_db, own in zip(table.snr_db.tolist(), accepted.T, strict=True)}


def _claims(found: Mapping[int, Acceptance], options: Options) -> list[Claim]:
    few, many = options.few, options.many
    stated = f"T = {few} is accepted as often as T = {many}"
    handed_over = half_way(options.handovers)

    def noise_free(rule: str, place: Place) -> str:
        return ", ".join(f"T = {steps} {each.intervals(rule)[place].text('.3f')}" for steps, each in found.items())

    claims = [
        report("accepted noise-free images of the generator (alignment)", noise_free("alignment", UNSPLIT)),
        report(
            f"accepted images, handed over noise-free after {handed_over.handover:.0%} of the steps (SSIM)",
            noise_free("ssim", handed_over),
        ),
    ]
    if missing := [steps for steps in (few, many) if steps not in found]:
        return [*claims, report(stated, f"not measured: the profile has no T = {', '.join(map(str, missing))}")]
    gap = difference(*(found[steps].shares["alignment"][UNSPLIT] for steps in (few, many)))
    lost = f"it is accepted {abs(gap.mean):.3f} {'less' if gap.mean < 0 else 'more'} often"
    measured = f"{gap.text('+.3f')}, noise-free, paired over requests"
    return [value_claim("project", stated, measured, [(AS_OFTEN, gap)], lost), *claims]


@house_style()
def _draw(found: Mapping[int, Acceptance], handovers: Points) -> Figure:
    figure, panels = subplots(
        2.2 + 2.2 * len(handovers), 4.6, len(RULES), 1 + len(handovers), sharey=True, squeeze=False
    )
    for row, (rule, least) in zip(panels, RULES.items(), strict=True):
        curves = [each.intervals(rule) for each in found.values()]
        for place, colour, marker in ((UNSPLIT, GREY, "o"), (half_way(handovers), "black", "s")):
            label = "generator alone" if place == UNSPLIT else f"handed over after {place.handover:.0%}"
            style = {"color": colour, "marker": marker, "label": label}
            draw_intervals(row[0], list(found), [each[place] for each in curves], **style)
        for panel, share in zip(row[1:], handovers, strict=True):
            for position, (steps, each) in enumerate(found.items()):
                means = [curves[position][Place(share, snr_db)] for snr_db in each.snr_db]
                draw_intervals(panel, each.snr_db, means, color=colour_of(position), marker=".", label=f"T = {steps}")
        row[0].set(ylabel=f"Accepted, {RULE_LABELS[rule]} ≥ {least:g}", ylim=(0, 1.02))
    for panel, share in zip(panels[0, 1:], handovers, strict=True):
        panel.set_title(f"after {share:.0%} of the steps")
    panels[0, 0].set_title("perfect link")
    panels[-1, 0].set_xlabel("Steps T")
    for panel in panels[-1, 1:]:
        panel.set_xlabel(SNR_LABEL)
    panels[0, 0].legend(fontsize=7)
    panels[0, -1].legend(fontsize=7)
    return figure


def _rows(steps: int, acceptance: Acceptance) -> list[Row]:
    return [
        {
            "num_inference_steps": steps,
            "handover": "" if place.handover is None else place.handover,
            "split": steps if place.handover is None else acceptance.splits[place.handover],
            "snr_db": place.snr_db,
            "rule": rule,
            "accepted": accepted,
            "requests": len(acceptance.shares[rule][place]),
            "draws": 1 if math.isinf(place.snr_db) else acceptance.draws,
        }
        for rule in RULES
        for place, accepted in acceptance.intervals(rule).items()
    ]
