"""Ablations of D3QN: how soon and how near to the optimum it comes with one part changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.evaluation.statistics import Interval, student_interval
from agents.experiments.shared.claims import Claim, per_receiver, report
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.learning import Curves, learning_curves, lesson_of
from agents.experiments.shared.states import sample_states
from agents.experiments.shared.study import CurveOptions, Study
from agents.reports.drawing import draw_range, subplots, write_above
from agents.reports.style import GREY, colour_of, house_style
from agents.runs.learn import new_agent
from agents.runs.settings import AgentSettings

NEAR = (0.95, 0.98, 0.99)
"""Shares of the exact optimum (`oracle_bound`), for the episodes until they are reached."""


@dataclass(frozen=True)
class Options(CurveOptions):
    """Sizes.

    Attributes:
        variants: label -> hyperparameters that differ; `policy_kwargs` are merged.
    """

    variants: Mapping[str, Mapping[str, Any]]


def run(study: Study, options: Options) -> Findings:
    """Train several agents of every variant under the configured receiver; finished ones are kept in the folder."""
    agents = _agents(study, options)
    settings = study.settings_of(study.receiver)
    states = sample_states(settings, options.num_states, study.seed)
    optimum = float(states.expected("oracle_bound").mean())
    curves: dict[str, Curves] = {}
    with tqdm(total=len(agents) * options.seeds, desc="agents", unit="agent", leave=False) as bar:
        for label, agent in agents.items():
            learnt = learning_curves(options, settings, agent, states, study.folder, bar.update)
            curves[label] = learnt.shares_of(optimum)
    return Findings(
        "Ablations of D3QN",
        {"": _draw(curves)},
        {
            "": named_rows("variant", curves, lambda each: each.rows("episodes", "relative_to_bound")),
            "summary": named_rows("variant", curves, lambda each: _summary(each, next(iter(curves.values())))),
        },
        per_receiver({study.receiver: curves}, _claims),
        study.notes,
    )


def _agents(study: Study, options: Options) -> dict[str, AgentSettings]:
    """The agent of every variant, tried before any work.

    Raises:
        ValueError: no variants, or hyperparameters that do not exist or are not allowed.
    """
    if not isinstance(options.variants, Mapping) or not options.variants:
        raise ValueError(f"experiment.variants must map labels to hyperparameters, got {options.variants!r}")
    agents = {}
    for label, changes in options.variants.items():
        if not isinstance(changes, Mapping):
            raise ValueError(f"experiment.variants.{label} must map names to values, got {changes!r}")
        merged = dict(options.agent.get("policy_kwargs") or {}) | dict(changes.get("policy_kwargs") or {})
        changed = dict(options.agent) | dict(changes) | {"policy_kwargs": merged}
        agents[label] = AgentSettings.from_config(changed)
        new_agent(lesson_of(options, study.settings, agents[label]))
    return agents


def _claims(curves: Mapping[str, Curves]) -> list[Claim]:
    base, whole = next(iter(curves.items()))
    claims = []
    for label, each in curves.items():
        soon = ", ".join(f"{share:.0%} {_episodes(each.until(share))}" for share in NEAR)
        text = (
            f"{each.final.mean():.2%} of the exact optimum in the end "
            f"(agents {each.final.min():.2%} to {each.final.max():.2%}); episodes until {soon}"
        )
        if label != base:
            gain = _gain(each, whole)
            text += f"; {gain.text('+.2f', ' points')} against {base}, agents of one seed paired: {_conclusion(gain)}"
        claims.append(report(label, text))
    return claims


def _gain(variant: Curves, base: Curves) -> Interval:
    """Points of the exact optimum in the end over those of the base, in the mean over seeds."""
    return student_interval(100 * (variant.final - base.final))


def _conclusion(gain: Interval) -> str:
    """What follows: nothing, where the interval holds zero; more seeds make it narrower."""
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "no conclusion"


def _episodes(number: float) -> str:
    return f"{number:.0f}" if np.isfinite(number) else "not reached"


@house_style()
def _draw(curves: Mapping[str, Curves]) -> Figure:
    figure, (left, right) = subplots(8.4, 3.4, 1, 2, width_ratios=(3, 2))
    for position, (label, each) in enumerate(curves.items()):
        colour = colour_of(position)
        draw_range(left, each.learnt_from, 1 - each.values, 0.12, color=colour, label=label)
        final = 100 * each.final
        right.plot([final.min(), final.max()], [position, position], color=colour, linewidth=2)
        right.plot(final, [position] * len(final), "o", color=colour)
        write_above(right, f"{final.mean():.2f}", final.mean(), position)
    first = 100 * next(iter(curves.values())).final.mean()
    right.axvline(first, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
    left.set(yscale="log", xlabel="Episodes learnt from", ylabel="Share of the optimum's satisfaction lost")
    right.set_yticks(range(len(curves)), list(curves))
    right.invert_yaxis()
    right.margins(y=0.12)
    right.set(xlabel="% of the optimum in the end")
    left.legend(fontsize=7)
    return figure


def _summary(curves: Curves, base: Curves) -> list[Row]:
    final, gain = curves.final, _gain(curves, base)
    ends = {"mean": final.mean(), "lowest": final.min(), "highest": final.max()}
    reached = {f"episodes_until_{100 * share:.0f}": curves.until(share) for share in NEAR}
    compared = {"gain_points": gain, "conclusion": "" if curves is base else _conclusion(gain)}
    return [{f"relative_to_bound_{name}": float(value) for name, value in ends.items()} | reached | compared]
