"""Figure 7: the mean split that ROOT chooses, over SNR and over the edge's available compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from agents.evaluation.statistics import Interval, column_intervals
from agents.experiments.shared.drawing import PACR_LABEL, SNR_LABEL, draw_policy
from agents.experiments.shared.findings import Claim, Findings, paper, report
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import difference, sample_states
from agents.experiments.shared.study import StateOptions, Study
from agents.reports.style import house_style
from envs.checks import Points

AXES = {"snr_db": SNR_LABEL, "edge_availability": PACR_LABEL}
POLICIES = ("root", "oracle")
MARGIN = 0.25
"""A change of the mean split below this many steps counts as none."""


Options = StateOptions


@dataclass(frozen=True)
class Course:
    """Splits along one axis: label -> arrays of the states' splits, one a point."""

    points: Points
    splits: dict[str, list[Any]]

    def mean(self, policy: str) -> np.ndarray:
        """Mean split at each point."""
        return np.array([splits.mean() for splits in self.splits[policy]])

    def intervals(self, policy: str) -> list[Interval]:
        """Mean split at each point with its interval over states."""
        return column_intervals(np.stack(self.splits[policy], axis=1))

    def rise(self, policy: str) -> Interval:
        """Mean split at the last point less that at the first; the states share their luck."""
        first, last = self.splits[policy][0], self.splits[policy][-1]
        return difference(last, first)


def run(study: Study, options: Options) -> Findings:
    """Measure the decisions of ROOT and of the oracle."""
    receivers = study.measured_receivers(options.receivers)
    courses = {
        (receiver, axis): _course(study, options, receiver, axis, getattr(options, axis))
        for receiver in receivers
        for axis in AXES
    }
    claims = [claim for (receiver, axis), course in courses.items() for claim in _claims(receiver, axis, course)]
    return Findings(
        "Figure 7: mean denoising steps at the edge",
        {"": _draw(courses, receivers, study.num_inference_steps)},
        {"": _rows(courses)},
        claims,
        study.notes,
    )


def _course(study: Study, options: Options, receiver: str, axis: str, points: Points) -> Course:
    root = root_of(study, receiver, options.root)
    splits: dict[str, list[Any]] = {policy: [] for policy in POLICIES}
    for point in points:
        states = sample_states(study.settings_of(receiver, {axis: [point, point]}), options.num_states, study.seed)
        for policy in POLICIES:
            splits[policy].append(states.actions(policy, root))
    return Course(points, splits)


def _claims(receiver: str, axis: str, course: Course) -> list[Claim]:
    name = "SNR" if axis == "snr_db" else "available compute"
    rise, best = course.rise("root"), course.rise("oracle")
    means = course.mean("root")
    course_text = ", ".join(f"{mean:.1f}" for mean in means)
    fall, best_fall = (max(0.0, -np.diff(course.mean(policy)).min()) for policy in POLICIES)
    claims = [
        paper(
            f"the mean split rises with {name}",
            f"receiver {receiver}: {means[0]:.1f} at {course.points[0]:g} to {means[-1]:.1f} at "
            f"{course.points[-1]:g} ({rise.mean:+.2f}, 95 % {rise.low:+.2f} to {rise.high:+.2f}); largest fall between "
            f"neighbours {fall:.2f}",
            rise.low > 0 and rise.mean > MARGIN and fall <= MARGIN,
            f"the exact optimum changes by {best.mean:+.2f} over the range, with a largest fall of {best_fall:.2f}",
        )
    ]
    if axis == "snr_db":
        claims.append(report(f"course over SNR of receiver {receiver}", f"mean splits of ROOT: {course_text}"))
    return claims


def _draw(courses: Mapping[tuple[str, str], Course], receivers: tuple[str, ...], num_inference_steps: int) -> Figure:
    with house_style():
        figure = Figure(figsize=(7.2, 0.4 + 2.7 * len(receivers)), layout="constrained")
        panels = figure.subplots(len(receivers), len(AXES), squeeze=False, sharey=True)
        for (receiver, axis), course in courses.items():
            panel = panels[receivers.index(receiver), list(AXES).index(axis)]
            for policy in POLICIES:
                draw_policy(panel, course.points, course.intervals(policy), policy)
            panel.set(xlabel=AXES[axis], title=f"receiver {receiver}", ylim=(-0.5, num_inference_steps + 0.5))
        for panel in panels[:, 0]:
            panel.set_ylabel("Mean split (edge steps)")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(courses: Mapping[tuple[str, str], Course]) -> list[dict[str, Any]]:
    rows = []
    for (receiver, axis), course in courses.items():
        for policy in course.splits:
            for point, mean in zip(course.points, course.intervals(policy), strict=True):
                rows.append(
                    {
                        "receiver": receiver,
                        "axis": axis,
                        "value": point,
                        "policy": policy,
                        "mean_split": mean.mean,
                        "mean_split_low": mean.low,
                        "mean_split_high": mean.high,
                    }
                )
    return rows
