"""Every policy against the exact optimum: what it loses in expectation, and on served requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.comparison import compare, contender
from agents.evaluation.statistics import Interval, column_intervals, paired_difference
from agents.experiments.shared.findings import Claim, Findings, Row, bar, named_rows, per_receiver, report
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FRAMEWORKS, States, difference, sample_states, share_of
from agents.experiments.shared.study import ComparedOptions, Study
from agents.policies import Predictor, load_policy
from agents.reports.drawing import draw_bars, subplots
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
        regret: over states, exact in each.
        served_regret: over served requests, the oracle on the same ones.
        relative_to_oracle: expected satisfaction as a fraction of the oracle's.
        optimal_actions: fraction of states in which it takes an action as good as the best.
    """

    regret: Interval
    served_regret: Interval
    relative_to_oracle: float
    optimal_actions: float


class Result(NamedTuple):
    """Under one receiver: what each policy loses, and what leaving the splits in some states would add to the best."""

    losses: dict[str, Loss]
    gain_of_ends: Interval


def run(study: Study, options: Options) -> Findings:
    """Measure the regret of every policy under every receiver."""
    results = {name: _measure(study, options, name) for name in study.measured_receivers(options.receivers)}
    return Findings(
        "Regret: every policy against the exact optimum",
        {"": _draw(results)},
        {"": named_rows("receiver", results, _rows)},
        per_receiver(results, _claims),
        study.notes,
    )


def _measure(study: Study, options: Options, receiver: str) -> Result:
    settings = study.settings_of(receiver)
    root = root_of(study, receiver, options.root)
    states = sample_states(settings, options.num_states, study.seed)
    best = states.expected("oracle")
    policies: dict[str, str | Predictor] = {name: name for name in ("oracle", *POLICIES)} | {"root": root}
    contenders = {name: contender(policy, settings, options.num_sessions) for name, policy in policies.items()}
    with study.console.status("Serving requests"):
        served = compare(contenders, num_requests=options.num_requests, seed=study.seed)
    own = np.stack([states.rewards_of(_actions(name, states, settings, root)) for name in POLICIES], axis=1)
    losses = {
        name: Loss(
            regret,
            paired_difference(served["oracle"]["reward"], served[name]["reward"], served[name]["episode"]),
            float(share_of(expected.mean(), best.mean())),
            float(np.mean(expected >= best)),
        )
        for name, regret, expected in zip(POLICIES, column_intervals(best[:, None] - own), own.T, strict=True)
    }
    return Result(losses, difference(states.rewards.max(axis=1), best))


def _actions(name: str, states: States, settings: SplitSettings, root: Predictor) -> NDArray[np.int64]:
    if name in RULES:
        policy = load_policy(name, SplitVectorEnv(1, settings))
        return policy.predict(states.observations, deterministic=True)[0]
    return states.actions(name, root)


def _claims(result: Result) -> list[Claim]:
    losses = result.losses
    root, two = losses["root"], losses["two_split"].regret
    covered = 1 - root.regret.mean / two.mean if two.mean > 0 else float("nan")
    beaten = [label_of(name) for name, loss in losses.items() if loss.regret.mean < root.regret.mean]
    return [
        bar(
            f"ROOT reaches {ORACLE_SHARE:.0%} of the oracle",
            f"{root.relative_to_oracle:.1%}; regret {root.regret.text('.4f')}",
            root.relative_to_oracle >= ORACLE_SHARE,
            f"it takes a best action in {root.optimal_actions:.0%} of the states",
        ),
        bar(
            "no fixed framework and no simple rule has less regret than ROOT",
            ", ".join(f"{label_of(name)} {loss.regret.mean:.3f}" for name, loss in losses.items()),
            not beaten,
            f"{', '.join(beaten)} have less",
        ),
        report("way from the two-split rule (0 %) to the oracle (100 %) that ROOT covers", f"{covered:.0%}"),
        report(
            "what choosing Edge or Local in some states would add to the best split",
            f"{result.gain_of_ends.text('+.4f')} satisfaction",
        ),
    ]


@house_style()
def _draw(results: Mapping[str, Result]) -> Figure:
    figure, panels = subplots(0.6 + 3.4 * len(results), 3.0, 1, len(results), squeeze=False, sharex=True)
    for panel, (receiver, (losses, _)) in zip(panels[0], results.items(), strict=True):
        ordered = sorted(losses, key=lambda name: -losses[name].regret.mean)
        bars = {label_of(name): (losses[name].regret, line_style(name)["color"]) for name in ordered}
        draw_bars(panel, bars, gap=0.006)
        panel.set(xlabel="Regret (satisfaction lost to the oracle)", title=f"receiver {receiver}")
    return figure


def _rows(result: Result) -> list[Row]:
    return [{"policy": name} | vars(loss) for name, loss in result.losses.items()]
