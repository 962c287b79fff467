"""Ablations of D3QN: how soon and how near to the optimum it comes with one part changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.experiments.shared.findings import Claim, Findings, report
from agents.experiments.shared.learning import learning_curves, lesson_of
from agents.experiments.shared.states import sample_states
from agents.experiments.shared.study import CurveOptions, Study
from agents.reports.style import GREY, OKABE_ITO, house_style
from agents.runs.learn import new_agent
from agents.runs.settings import AgentSettings

NEAR = (0.95, 0.98, 0.99)
"""Shares of the oracle, for the episodes until they are reached."""
FINAL_SHARE = 0.1
"""The last share of the curve, whose mean is the final reward."""


@dataclass(frozen=True)
class Options(CurveOptions):
    """Sizes.

    Attributes:
        variants: label -> hyperparameters that differ; `policy_kwargs` are merged.
    """

    variants: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Curves:
    """Learning curves of one variant.

    Attributes:
        episodes: [E], learnt from.
        shares: [S, E], expected reward of each agent's greedy policy as a share of the oracle's.
    """

    episodes: NDArray[np.int64]
    shares: NDArray[np.float64]

    @property
    def final(self) -> NDArray[np.float64]:
        """Mean share over the end of each agent's curve, [S]."""
        return self.shares[:, -max(1, round(FINAL_SHARE * len(self.episodes))) :].mean(axis=1)

    def episodes_until(self, share: float) -> float:
        """Median over agents of the first episode at or above a share of the oracle; infinite where not reached."""
        first = np.where((self.shares >= share).any(axis=1), (self.shares >= share).argmax(axis=1), -1)
        return float(np.median(np.where(first < 0, np.inf, self.episodes[first])))


def run(study: Study, options: Options) -> Findings:
    """Train several agents of every variant under the configured receiver; finished ones are kept in the folder."""
    agents = _agents(study, options)
    settings = study.settings_of(study.receiver)
    states = sample_states(settings, options.num_states, study.seed)
    oracle = float(states.rewards_of(states.actions("oracle")).mean())
    curves: dict[str, Curves] = {}
    with tqdm(total=len(agents) * options.seeds, desc="agents", unit="agent", leave=False) as bar:
        for label, agent in agents.items():
            learnt = learning_curves(options, settings, agent, states, study.folder, bar.update)
            curves[label] = Curves(learnt[0].episodes, np.array([each.rewards for each in learnt]) / oracle)
    return Findings(
        "Ablations of D3QN",
        {"": _draw(curves)},
        {
            "": [row for label, each in curves.items() for row in _points(label, each)],
            "summary": [_summary(label, each) for label, each in curves.items()],
        },
        _claims(study.receiver, curves),
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


def _claims(receiver: str, curves: Mapping[str, Curves]) -> list[Claim]:
    base, whole = next(iter(curves.items()))
    claims = []
    for label, each in curves.items():
        soon = ", ".join(f"{share:.0%} {_episodes(each.episodes_until(share))}" for share in NEAR)
        text = (
            f"receiver {receiver}: {each.final.mean():.2%} of the oracle in the end "
            f"(agents {each.final.min():.2%} to {each.final.max():.2%}); episodes until {soon}"
        )
        if label != base:
            text += f"; {100 * (each.final.mean() - whole.final.mean()):+.2f} points against {base}"
        claims.append(report(f"{label}", text))
    return claims


def _episodes(number: float) -> str:
    return f"{number:.0f}" if np.isfinite(number) else "not reached"


def _draw(curves: Mapping[str, Curves]) -> Figure:
    with house_style():
        figure = Figure(figsize=(8.4, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for position, (label, each) in enumerate(curves.items()):
            colour = OKABE_ITO[position % len(OKABE_ITO)]
            lost = 1 - each.shares
            left.plot(each.episodes, lost.mean(axis=0), color=colour, label=label)
            left.fill_between(each.episodes, lost.min(axis=0), lost.max(axis=0), color=colour, alpha=0.12, linewidth=0)
            final = 100 * each.final
            right.plot([final.min(), final.max()], [position, position], color=colour, linewidth=2)
            right.plot(final, [position] * len(final), "o", color=colour)
            right.annotate(
                f"{final.mean():.2f}",
                (final.mean(), position),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
        first = 100 * next(iter(curves.values())).final.mean()
        right.axvline(first, color=GREY, linewidth=0.8, linestyle="--", zorder=0)
        left.set(yscale="log", xlabel="Episodes learnt from", ylabel="Share of the oracle's satisfaction lost")
        right.set_yticks(range(len(curves)), list(curves))
        right.invert_yaxis()
        right.margins(y=0.12)
        right.set(xlabel="% of the oracle in the end")
        left.legend(fontsize=7)
    return figure


def _points(label: str, curves: Curves) -> list[dict[str, Any]]:
    return [
        {"variant": label, "seed": seed, "episodes": int(episodes), "relative_to_oracle": float(share)}
        for seed, shares in enumerate(curves.shares)
        for episodes, share in zip(curves.episodes, shares, strict=True)
    ]


def _summary(label: str, curves: Curves) -> dict[str, Any]:
    reached = {f"episodes_until_{share:.0%}".rstrip("%"): curves.episodes_until(share) for share in NEAR}
    final = curves.final
    ends = {"mean": final.mean(), "lowest": final.min(), "highest": final.max()}
    return {"variant": label} | {f"relative_to_oracle_{name}": float(value) for name, value in ends.items()} | reached
