"""Figure 6: how ROOT's reward rises with the episodes that it has learnt from, beside the other frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.experiments.shared.findings import Claim, Findings, bar, paper
from agents.experiments.shared.learning import learning_curves
from agents.experiments.shared.states import FIXED, sample_states
from agents.experiments.shared.study import CurveOptions, Study
from agents.reports.style import house_style, label_of, line_style
from agents.runs.settings import AgentSettings

PAPER_EPISODES = 350
CONVERGED = 0.95
FINAL_SHARE = 0.1
"""The last share of the curve, whose mean is the final reward."""


@dataclass(frozen=True)
class Options(CurveOptions):
    """Sizes.

    Attributes:
        receivers: compared, those of them that the profile holds.
    """

    receivers: list[str]


@dataclass(frozen=True)
class Curves:
    """Learning curves of several agents.

    Attributes:
        episodes: [E], learnt from.
        rewards: [S, E], expected reward of the greedy policy of each agent.
        references: policy -> expected reward on the same states.
    """

    episodes: NDArray[np.int64]
    rewards: NDArray[np.float64]
    references: dict[str, float]


def converged_at(episodes: NDArray[np.int64], rewards: NDArray[np.float64]) -> tuple[int, float]:
    """First episode from which on a curve stays at or above 95 % of its final reward, and that reward.

    Args:
        episodes: [E], increasing.
        rewards: [E].
    """
    final = float(rewards[-max(1, round(FINAL_SHARE * len(rewards))) :].mean())
    below = np.flatnonzero(rewards < CONVERGED * final)
    first = 0 if not len(below) else min(int(below[-1]) + 1, len(episodes) - 1)
    return int(episodes[first]), final


def run(study: Study, options: Options) -> Findings:
    """Train several agents under every receiver; finished ones are kept in the folder."""
    receivers = study.measured_receivers(options.receivers)
    curves = {receiver: _curves(study, options, receiver) for receiver in receivers}
    return Findings(
        "Figure 6: reward over episodes",
        {"": _draw(curves)},
        {"": [row for receiver, each in curves.items() for row in _rows(receiver, each)]},
        [claim for receiver, each in curves.items() for claim in _claims(receiver, each)],
        study.notes,
    )


def _curves(study: Study, options: Options, receiver: str) -> Curves:
    settings = study.settings_of(receiver)
    states = sample_states(settings, options.num_states, study.seed)
    agent = AgentSettings.from_config(options.agent)
    with tqdm(total=options.seeds, desc=f"agents, receiver {receiver}", unit="agent", leave=False) as bar:
        runs = learning_curves(options, settings, agent, states, study.folder, bar.update)
    references = {name: float(states.rewards_of(states.actions(name)).mean()) for name in (*FIXED, "oracle")}
    return Curves(runs[0].episodes, np.array([learnt.rewards for learnt in runs]), references)


def _claims(receiver: str, curves: Curves) -> list[Claim]:
    each = [converged_at(curves.episodes, rewards)[0] for rewards in curves.rewards]
    episode, final = converged_at(curves.episodes, curves.rewards.mean(axis=0))
    at = f"receiver {receiver}: "
    measured = (
        f"{at}{CONVERGED:.0%} of the final reward {final:.3f} from episode {episode} on "
        f"(agents one by one: {', '.join(map(str, each))}); the oracle has {curves.references['oracle']:.3f}"
    )
    late = f"{CONVERGED:.0%} of the final reward is reached at episode {episode} only"
    ahead = {label_of(name): value for name, value in curves.references.items() if name in FIXED and value >= final}
    return [
        paper(f"convergence within about {PAPER_EPISODES} episodes", measured, episode <= PAPER_EPISODES, late),
        bar(
            f"{CONVERGED:.0%} of the final reward by {PAPER_EPISODES} episodes",
            measured,
            episode <= PAPER_EPISODES,
            late,
        ),
        paper(
            "ROOT's reward ends above those of the other frameworks",
            f"{at}{final:.3f} against "
            + ", ".join(f"{label_of(name)} {curves.references[name]:.3f}" for name in FIXED),
            not ahead,
            f"{', '.join(ahead)} end as high or higher",
        ),
    ]


def _draw(curves: Mapping[str, Curves]) -> Figure:
    with house_style():
        figure = Figure(figsize=(1.6 + 3.2 * len(curves), 3.2), layout="constrained")
        panels = figure.subplots(1, len(curves), squeeze=False, sharey=True)[0]
        for panel, (receiver, each) in zip(panels, curves.items(), strict=True):
            mean = each.rewards.mean(axis=0)
            style = line_style("root") | {"marker": ""}
            panel.plot(each.episodes, mean, label="ROOT, mean of the agents", **style)  # type: ignore[arg-type]
            low, high = each.rewards.min(axis=0), each.rewards.max(axis=0)
            panel.fill_between(
                each.episodes, low, high, color=style["color"], alpha=0.2, linewidth=0, label="their range"
            )
            for name, value in each.references.items():
                reference = line_style(name) | {"marker": ""}
                panel.axhline(value, label=label_of(name), linewidth=1.2, **reference)  # type: ignore[arg-type]
            episode, final = converged_at(each.episodes, mean)
            panel.plot([episode], [mean[list(each.episodes).index(episode)]], "k*", markersize=9, zorder=5)
            panel.annotate(
                f"{CONVERGED:.0%} of the final {final:.2f}\nfrom episode {episode} on",
                (episode, mean[list(each.episodes).index(episode)]),
                xytext=(0.3, 0.12),
                textcoords="axes fraction",
                fontsize=8,
                arrowprops={"arrowstyle": "-", "color": "0.4"},
            )
            panel.set(xlabel="Episodes learnt from", title=f"receiver {receiver}", ylim=(0, None))
        panels[0].set_ylabel("Expected reward a request (satisfaction)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(receiver: str, curves: Curves) -> list[dict[str, Any]]:
    rows = [
        {"receiver": receiver, "policy": "root", "seed": seed, "episodes": int(episodes), "reward": float(reward)}
        for seed, rewards in enumerate(curves.rewards)
        for episodes, reward in zip(curves.episodes, rewards, strict=True)
    ]
    return rows + [
        {"receiver": receiver, "policy": name, "seed": "", "episodes": "", "reward": value}
        for name, value in curves.references.items()
    ]
