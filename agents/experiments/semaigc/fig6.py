"""Figure 6: how ROOT's reward rises with the episodes that it has learnt from, beside the other frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.evaluation.statistics import student_interval
from agents.experiments.shared.claims import Claim, order_claim, per_receiver
from agents.experiments.shared.findings import Findings, named_rows
from agents.experiments.shared.learning import Curves, end_of, learning_curves
from agents.experiments.shared.states import FIXED, sample_states
from agents.experiments.shared.study import CurveOptions, Study
from agents.reports.drawing import draw_range, subplots
from agents.reports.style import house_style, label_of, line_style
from agents.runs.settings import AgentSettings

PAPER_EPISODES = 350
CONVERGED = 0.95


@dataclass(frozen=True)
class Options(CurveOptions):
    """Sizes.

    Attributes:
        receivers: compared, those of them that the profile holds.
    """

    receivers: list[str]


class Learnt(NamedTuple):
    """Curves over episodes, and the expected reward of the other policies on the same states."""

    curves: Curves
    references: dict[str, float]


def converged_at(episodes: NDArray[np.int64], rewards: NDArray[np.float64]) -> tuple[int, float]:
    """First episode from which on a curve stays at or above 95 % of its final reward, and that reward.

    Args:
        episodes: [E], increasing.
        rewards: [E].
    """
    final = float(end_of(rewards))
    below = np.flatnonzero(rewards < CONVERGED * final)
    first = 0 if not len(below) else min(int(below[-1]) + 1, len(episodes) - 1)
    return int(episodes[first]), final


def run(study: Study, options: Options) -> Findings:
    """Train several agents under every receiver; finished ones are kept in the folder."""
    learnt = {name: _learn(study, options, name) for name in study.measured_receivers(options.receivers)}
    return Findings(
        "Figure 6: reward over episodes",
        {"": _draw(learnt)},
        {"": named_rows("receiver", learnt, _rows)},
        per_receiver(learnt, _claims),
        study.notes,
    )


def _learn(study: Study, options: Options, receiver: str) -> Learnt:
    settings = study.settings_of(receiver)
    states = sample_states(settings, options.num_states, study.seed)
    agent = AgentSettings.from_config(options.agent)
    with tqdm(total=options.seeds, desc=f"agents, receiver {receiver}", unit="agent", leave=False) as bar:
        curves = learning_curves(options, settings, agent, states, study.folder, bar.update)
    return Learnt(curves, {name: float(states.expected(name).mean()) for name in (*FIXED, "oracle_bound")})


def _claims(learnt: Learnt) -> list[Claim]:
    curves, references = learnt
    each = [converged_at(curves.learnt_from, rewards)[0] for rewards in curves.values]
    episode, final = converged_at(curves.learnt_from, curves.values.mean(axis=0))
    leads = {name: student_interval(curves.final - references[name]) for name in FIXED}
    behind = [label_of(name) for name, lead in leads.items() if not lead.low > 0]
    return [
        order_claim(
            "paper",
            f"convergence within about {PAPER_EPISODES} episodes",
            f"{CONVERGED:.0%} of the final reward {final:.3f} from episode {episode} on (agents one by one: "
            f"{', '.join(map(str, each))}); the exact optimum has {references['oracle_bound']:.3f}",
            [student_interval([PAPER_EPISODES - number for number in each])],
            f"{len(each)} agents, at episode {min(each)} to {max(each)}",
        ),
        order_claim(
            "paper",
            "ROOT's reward ends above those of the other frameworks",
            f"{final:.3f} against "
            + ", ".join(f"{label_of(name)} {references[name]:.3f} ({lead.mean:+.3f})" for name, lead in leads.items()),
            leads.values(),
            f"{len(each)} agents are not clearly above {', '.join(behind)}",
        ),
    ]


@house_style()
def _draw(learnt: Mapping[str, Learnt]) -> Figure:
    figure, panels = subplots(1.6 + 3.2 * len(learnt), 3.2, 1, len(learnt), squeeze=False, sharey=True)
    for panel, (receiver, (curves, references)) in zip(panels[0], learnt.items(), strict=True):
        style = line_style("root") | {"marker": "", "label": "ROOT, mean of the agents"}
        draw_range(panel, curves.learnt_from, curves.values, 0.2, **style).set_label("their range")
        for name, value in references.items():
            panel.axhline(value, linewidth=1.2, **line_style(name) | {"marker": ""})
        mean = curves.values.mean(axis=0)
        episode, final = converged_at(curves.learnt_from, mean)
        star = episode, mean[list(curves.learnt_from).index(episode)]
        panel.plot(*star, "k*", markersize=9, zorder=5)
        panel.annotate(
            f"{CONVERGED:.0%} of the final {final:.2f}\nfrom episode {episode} on",
            star,
            xytext=(0.3, 0.12),
            textcoords="axes fraction",
            fontsize=8,
            arrowprops={"arrowstyle": "-", "color": "0.4"},
        )
        panel.set(xlabel="Episodes learnt from", title=f"receiver {receiver}", ylim=(0, None))
    panels[0, 0].set_ylabel("Expected reward a request (satisfaction)")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(learnt: Learnt) -> list[dict[str, Any]]:
    references = [
        {"policy": name, "seed": "", "episodes": "", "reward": value} for name, value in learnt.references.items()
    ]
    return [{"policy": "root"} | row for row in learnt.curves.rows("episodes", "reward")] + references
