"""Every policy against the exact optimum: what it loses in expectation, and on served requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.comparison import compare, contender
from agents.evaluation.statistics import Interval, column_intervals, paired_difference
from agents.experiments.shared.findings import Claim, Findings, bar, report
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FRAMEWORKS, States, difference, sample_states, share_of
from agents.experiments.shared.study import ComparedOptions, Study
from agents.policies import Predictor, load_policy
from agents.reports.style import house_style, label_of, line_style
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Count

RULES = ("two_split", "best_fixed", "random")
POLICIES = ("root", *RULES, *FRAMEWORKS[1:])
ORACLE_SHARE = 0.98


@dataclass(frozen=True)
class Options(ComparedOptions):
    """Sizes.

    Attributes:
        num_states: independent states in which the expected regret is exact.
        num_sessions: sessions side by side on which the policies really serve requests.
        num_requests: requests served by each policy.
    """

    num_states: Count
    num_sessions: Count
    num_requests: Count


@dataclass(frozen=True)
class Loss:
    """What one policy loses against the oracle.

    Attributes:
        expected: over states, exact in each.
        served: over served requests, the oracle on the same ones.
        share: expected satisfaction as a fraction of the oracle's.
        optimal: fraction of states in which it takes an action as good as the best.
    """

    expected: Interval
    served: Interval
    share: float
    optimal: float


def run(study: Study, options: Options) -> Findings:
    """Measure the regret of every policy under every receiver."""
    receivers = study.measured_receivers(options.receivers)
    losses: dict[str, dict[str, Loss]] = {}
    claims: list[Claim] = []
    for receiver in receivers:
        settings = study.settings_of(receiver)
        root = root_of(study, receiver, options.root)
        states = sample_states(settings, options.num_states, study.seed)
        losses[receiver] = _losses(states, settings, root, options, study)
        claims += _claims(receiver, losses[receiver], states)
    return Findings(
        "Regret: every policy against the exact optimum",
        {"": _draw(losses)},
        {"": [row for receiver, each in losses.items() for row in _rows(receiver, each)]},
        claims,
        study.notes,
    )


def _losses(
    states: States, settings: SplitSettings, root: Predictor, options: Options, study: Study
) -> dict[str, Loss]:
    best = states.rewards_of(states.actions("oracle"))
    policies: dict[str, str | Predictor] = {name: root if name == "root" else name for name in ("oracle", *POLICIES)}
    contenders = {name: contender(policy, settings, options.num_sessions) for name, policy in policies.items()}
    with study.console.status("Serving requests"):
        served = compare(contenders, num_requests=options.num_requests, seed=study.seed)
    own = np.stack([states.rewards_of(_actions(name, states, settings, root)) for name in POLICIES], axis=1)
    expected = column_intervals(best[:, None] - own)
    return {
        name: Loss(
            expected=expected[index],
            served=paired_difference(served["oracle"]["reward"], served[name]["reward"], served[name]["episode"]),
            share=float(share_of(own[:, index].mean(), best.mean())),
            optimal=float(np.mean(own[:, index] >= best)),
        )
        for index, name in enumerate(POLICIES)
    }


def _actions(name: str, states: States, settings: SplitSettings, root: Predictor) -> NDArray[np.int64]:
    if name in RULES:
        policy = load_policy(name, SplitVectorEnv(1, settings))
        return policy.predict(states.observations, deterministic=True)[0]
    return states.actions(name, root)


def _claims(receiver: str, losses: Mapping[str, Loss], states: States) -> list[Claim]:
    at = f"receiver {receiver}: "
    root, two = losses["root"], losses["two_split"]
    best = states.rewards_of(states.actions("oracle"))
    gain = difference(states.rewards.max(axis=1), best)
    covered = 1 - root.expected.mean / two.expected.mean if two.expected.mean > 0 else float("nan")
    beaten = [
        label_of(name) for name, loss in losses.items() if name != "root" and loss.expected.mean < root.expected.mean
    ]
    return [
        bar(
            f"ROOT reaches {ORACLE_SHARE:.0%} of the oracle",
            f"{at}{root.share:.1%}; regret {root.expected.mean:.4f} (95 % {root.expected.low:.4f} to "
            f"{root.expected.high:.4f})",
            root.share >= ORACLE_SHARE,
            f"it takes a best action in {root.optimal:.0%} of the states",
        ),
        bar(
            "no fixed framework and no simple rule has less regret than ROOT",
            at + ", ".join(f"{label_of(name)} {loss.expected.mean:.3f}" for name, loss in losses.items()),
            not beaten,
            f"{', '.join(beaten)} have less",
        ),
        report("way from the two-split rule (0 %) to the oracle (100 %) that ROOT covers", f"{at}{covered:.0%}"),
        report(
            "what choosing Edge or Local in some states would add to the best split",
            f"{at}{gain.mean:+.4f} (95 % {gain.low:+.4f} to {gain.high:+.4f}) satisfaction",
        ),
    ]


def _draw(losses: Mapping[str, Mapping[str, Loss]]) -> Figure:
    with house_style():
        figure = Figure(figsize=(0.6 + 3.4 * len(losses), 3.0), layout="constrained")
        panels = figure.subplots(1, len(losses), squeeze=False, sharex=True)[0]
        for panel, (receiver, each) in zip(panels, losses.items(), strict=True):
            ordered = sorted(each, key=lambda name: -each[name].expected.mean)
            for position, name in enumerate(ordered):
                loss, colour = each[name].expected, line_style(name)["color"]
                panel.barh(position, loss.mean, color=colour, height=0.7)
                panel.plot([loss.low, loss.high], [position, position], color="black", linewidth=1.2)
                panel.text(max(loss.high, 0.0) + 0.006, position, f"{loss.mean:.3f}", va="center", fontsize=7)
            panel.set_yticks(range(len(ordered)), [label_of(name) for name in ordered])
            panel.set(xlabel="Regret (satisfaction lost to the oracle)", title=f"receiver {receiver}")
            panel.grid(visible=False, axis="y")
            panel.set_axisbelow(True)
            panel.margins(x=0.12)
    return figure


def _rows(receiver: str, losses: Mapping[str, Loss]) -> list[dict[str, Any]]:
    return [
        {
            "receiver": receiver,
            "policy": name,
            "regret": loss.expected.mean,
            "regret_low": loss.expected.low,
            "regret_high": loss.expected.high,
            "served_regret": loss.served.mean,
            "served_regret_low": loss.served.low,
            "served_regret_high": loss.served.high,
            "relative_to_oracle": loss.share,
            "optimal_actions": loss.optimal,
        }
        for name, loss in losses.items()
    ]
