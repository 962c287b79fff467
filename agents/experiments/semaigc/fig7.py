"""Figure 7: the mean split that ROOT chooses, over SNR and over the edge's available compute."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import column_intervals
from agents.experiments.shared.claims import Claim, report, trend_claim
from agents.experiments.shared.findings import Findings, Row
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import difference, sample_states
from agents.experiments.shared.study import StateOptions, Study
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, draw_intervals, subplots
from agents.reports.style import house_style, line_style
from envs.checks import Points

AXES = {"snr_db": SNR_LABEL, "edge_availability": PACR_LABEL}
POLICIES = ("root", "oracle_bound")
Options = StateOptions

Splits = Mapping[str, NDArray[np.int64]]
"""Policy -> splits [N, P] in the same N states at each of the P points of an axis."""


def run(study: Study, options: Options) -> Findings:
    """Measure the decisions of ROOT and of the exact optimum; intervals are over states, which decisions depend on."""
    receivers = study.measured_receivers(options.receivers)
    points: dict[str, Points] = {axis: getattr(options, axis) for axis in AXES}
    courses = {
        (receiver, axis): _splits(study, options, receiver, axis, points[axis])
        for receiver in receivers
        for axis in AXES
    }
    return Findings(
        "Figure 7: mean denoising steps at the edge",
        {"": _draw(courses, receivers, points, study.num_inference_steps)},
        {"": _rows(courses, points)},
        [
            claim
            for (receiver, axis), splits in courses.items()
            for claim in _claims(receiver, axis, points[axis], splits)
        ],
        study.notes,
    )


def _splits(study: Study, options: Options, receiver: str, axis: str, points: Points) -> Splits:
    root = root_of(study, receiver, options.root)
    states = [
        sample_states(study.settings_of(receiver, {axis: [point, point]}), options.num_states, study.seed)
        for point in points
    ]
    return {policy: np.stack([each.actions(policy, root) for each in states], axis=1) for policy in POLICIES}


def _claims(receiver: str, axis: str, points: Points, splits: Splits) -> list[Claim]:
    name = "SNR" if axis == "snr_db" else "available compute"
    means = splits["root"].mean(axis=0)
    # The states of all points share their luck.
    rise, best = (difference(splits[policy][:, -1], splits[policy][:, 0]) for policy in POLICIES)
    claims = [
        trend_claim(
            "paper",
            f"the mean split rises with {name}",
            f"receiver {receiver}: {means[0]:.1f} at {points[0]:g} to {means[-1]:.1f} at {points[-1]:g} "
            f"({rise.mean:+.2f}, 95 % {rise.span('+.2f')})",
            points,
            splits["root"],
            f"the exact optimum changes by {best.mean:+.2f} over the range",
        )
    ]
    if axis == "snr_db":
        course = ", ".join(f"{mean:.1f}" for mean in means)
        claims.append(report(f"course over SNR of receiver {receiver}", f"mean splits of ROOT: {course}"))
    return claims


@house_style()
def _draw(
    courses: Mapping[tuple[str, str], Splits],
    receivers: tuple[str, ...],
    points: Mapping[str, Points],
    num_inference_steps: int,
) -> Figure:
    height = 0.4 + 2.7 * len(receivers)
    figure, panels = subplots(7.2, height, len(receivers), len(AXES), squeeze=False, sharey=True)
    for panel, ((receiver, axis), splits) in zip(panels.flat, courses.items(), strict=True):
        for policy in POLICIES:
            draw_intervals(panel, points[axis], column_intervals(splits[policy]), **line_style(policy))
        panel.set(xlabel=AXES[axis], title=f"receiver {receiver}", ylim=(-0.5, num_inference_steps + 0.5))
    for panel in panels[:, 0]:
        panel.set_ylabel("Mean split (edge steps)")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(courses: Mapping[tuple[str, str], Splits], points: Mapping[str, Points]) -> list[Row]:
    return [
        {"receiver": receiver, "axis": axis, "value": point, "policy": policy, "mean_split": mean}
        for (receiver, axis), splits in courses.items()
        for policy in POLICIES
        for point, mean in zip(points[axis], column_intervals(splits[policy]), strict=True)
    ]
