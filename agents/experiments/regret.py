"""Every policy against the exact optimum: what it loses in expectation, and on served requests.

The optimum knows the very requests that it serves (`oracle_bound`): a bound. `oracle` is fitted on the training
requests, as ROOT and the rules are: an opponent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.comparison import compare, contender
from agents.evaluation.entries import crossed
from agents.evaluation.statistics import Interval, paired_difference, ratio_of_margins
from agents.experiments.shared.claims import Claim, order_claim, per_receiver, report
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FRAMEWORKS, States, sample_states
from agents.experiments.shared.study import ComparedOptions, Study
from agents.policies import Predictor, load_policy
from agents.reports.drawing import draw_bars, subplots
from agents.reports.style import house_style, label_of, line_style
from agents.reports.tables import way_text
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Count

BOUND = "oracle_bound"
LOADED = ("oracle", "two_split", "best_fixed", "random")
POLICIES = ("root", *LOADED, *FRAMEWORKS[1:])
RIVALS = POLICIES[2:]
"""The fixed frameworks and the simple rules."""
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
    """What one policy loses against the bound.

    Attributes:
        regret: over states and requests, exact in each.
        served_regret: over served requests, the bound on the same ones.
        relative_to_bound: expected satisfaction as a fraction of the bound's.
        way_to_bound: share of the way from the two-split rule to the bound, with its interval over states and requests.
        below_root: how much less than ROOT it satisfies.
        optimal_actions: fraction of states in which it takes an action as good as the best.
    """

    regret: Interval
    served_regret: Interval
    relative_to_bound: Interval
    way_to_bound: Interval
    below_root: Interval
    optimal_actions: float


class Result(NamedTuple):
    """Under one receiver: what each policy loses, what ROOT has over the oracle, and what the ends add to the best."""

    losses: dict[str, Loss]
    over_oracle: Interval
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
    policies: dict[str, str | Predictor] = {name: name for name in (BOUND, *POLICIES)} | {"root": root}
    contenders = {name: contender(policy, settings, options.num_sessions) for name, policy in policies.items()}
    with study.console.status("Serving requests"):
        served = compare(contenders, num_requests=options.num_requests, seed=study.seed)
    actions = {name: _actions(name, states, settings, root) for name in (BOUND, *POLICIES)}
    earned = states.margins(actions | {"ends": states.rewards.argmax(axis=1)})
    best = states.rewards_of(actions[BOUND])
    losses = {
        name: Loss(
            (earned[BOUND] - earned[name]).interval(),
            paired_difference(served[BOUND]["reward"], served[name]["reward"], crossed(served[name])),
            ratio_of_margins(earned[name], earned[BOUND]),
            ratio_of_margins(earned[name] - earned["two_split"], earned[BOUND] - earned["two_split"]),
            (earned["root"] - earned[name]).interval(),
            float(np.mean(states.rewards_of(actions[name]) >= best)),
        )
        for name in POLICIES
    }
    over_oracle, gain_of_ends = earned["root"] - earned["oracle"], earned["ends"] - earned[BOUND]
    return Result(losses, over_oracle.interval(), gain_of_ends.interval())


def _actions(name: str, states: States, settings: SplitSettings, root: Predictor) -> NDArray[np.int64]:
    if name in LOADED:
        policy = load_policy(name, SplitVectorEnv(1, settings))
        return policy.predict(states.observations, deterministic=True)[0]
    return states.actions(name, root)


def _claims(result: Result) -> list[Claim]:
    losses = result.losses
    root = losses["root"]
    near = [label_of(name) for name in RIVALS if not losses[name].below_root.low > 0]
    closest = min(RIVALS, key=lambda name: losses[name].below_root.mean)
    return [
        order_claim(
            "project",
            f"ROOT has more than {ORACLE_SHARE:.0%} of the exact optimum on the same requests (oracle_bound)",
            f"{root.relative_to_bound.text('.1%')}; regret {root.regret.text('.4f')}",
            [root.relative_to_bound],
            f"it takes a best action in {root.optimal_actions:.0%} of the states",
            above=ORACLE_SHARE,
        ),
        order_claim(
            "project",
            "ROOT satisfies more than every fixed framework and simple rule",
            f"least over {label_of(closest)}: {losses[closest].below_root.text('+.4f')}; regret "
            + ", ".join(f"{label_of(name)} {losses[name].regret.mean:.3f}" for name in ("root", *RIVALS)),
            [losses[name].below_root for name in RIVALS],
            f"not clearly more than {', '.join(near)}",
        ),
        report(
            "way from the two-split rule (0 %) to oracle_bound (100 %)",
            f"ROOT {way_text(root.way_to_bound)}, the oracle of the training requests "
            f"{way_text(losses['oracle'].way_to_bound)}",
        ),
        report(
            "ROOT against the oracle, both of which know the training requests alone",
            f"{result.over_oracle.text('+.4f')} satisfaction",
        ),
        report(
            "what choosing Edge or Local in some states would add to the best split",
            f"{result.gain_of_ends.text('+.4f')} satisfaction",
        ),
    ]


@house_style()
def _draw(results: Mapping[str, Result]) -> Figure:
    figure, panels = subplots(0.6 + 3.4 * len(results), 3.0, 1, len(results), squeeze=False, sharex=True)
    for panel, (receiver, (losses, *_)) in zip(panels[0], results.items(), strict=True):
        ordered = sorted(losses, key=lambda name: -losses[name].regret.mean)
        bars = {label_of(name): (losses[name].regret, line_style(name)["color"]) for name in ordered}
        draw_bars(panel, bars, gap=0.006)
        panel.set(xlabel="Regret (satisfaction lost to the bound)", title=f"receiver {receiver}")
    return figure


def _rows(result: Result) -> list[Row]:
    return [{"policy": name} | vars(loss) for name, loss in result.losses.items()]
