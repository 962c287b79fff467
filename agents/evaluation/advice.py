"""Advice to a person with two devices and a link: which plan in which state, and what that and splitting are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.expected import margins_of_actions
from agents.evaluation.statistics import Interval, ratio_of_margins
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, SPLITS, Judge, PlanLists
from agents.planning.tree import Leaf, Tree, decide, fit_tree, leaves, renamed, round_thresholds
from agents.policies.model_based import sample_observations
from envs import SplitSettings
from envs.checks import Count, Natural
from envs.costs import Device
from envs.plans import Plan

QUANTITIES = ("rate_bps", "snr_db", "bandwidth_hz", "edge_availability", "user_availability", "latency_low_s")
"""What a rule may ask for, beside what a scenario shows of its own: all that a person can know of a request beforehand.
The work of a step, which varies too, is not."""
LEAST_GAIN = 0.002
"""In the mean satisfaction on the training requests: what a line of the rule must add to stay."""
WORTH = 0.02
"""Of satisfaction: what splitting must add to be worth its trouble."""
LUCK = 0.05
"""Of satisfaction: by so much the best of many splits leads on some hundred training requests without being better."""
SHOWN = ("best_fixed", "rule", "opponents", SPLITS, "optimum")
"""What is compared, in the order in which it is shown."""
MANY = 10
"""Times as many states as the rule is fitted on show where it takes which plan."""


@dataclass(frozen=True)
class AdviceSettings:
    """How the advice is found.

    Attributes:
        num_states: sampled states that the rule is fitted on, and as many others that it is judged in.
        max_leaves: of the rule.
        cloud: whether there is a cloud, so that the rule may send requests there.
        seed: of the states.
    """

    num_states: Count
    max_leaves: Count
    cloud: bool
    seed: Natural


@dataclass(frozen=True)
class Advice:
    """What is advised, and what it is worth: fitted on the training requests, judged on test requests in other states.

    Attributes:
        settings: of the environment.
        devices: at the edge, at the user and in the cloud, with the seconds that the costs give them.
        costs: where these come from.
        cloud: whether there is one.
        plans: that there are; the leaves of the rule are indices into them.
        quantities: what the rule may ask for, columns of its values.
        rule: the tree.
        best_fixed: name of the plan that is best everywhere.
        satisfaction: of `SHOWN`, the best fixed plan, the rule, and the optima without splits, of splits alone and of
            all plans; and of `bound`, the optimum that knows the test requests.
        gains: paired differences: `adaptive` and `rule`, the optimum and the rule over the best fixed plan;
            `splitting` and `splitting_with_cloud`, what splits add to the optimum without them.
        share: of the optimum that the rule reaches.
        taken: plan -> share of the states in which the optimum takes it, the largest first.
        num_requests: training and test requests.
        notes: what was left out.
        states: quantities [N, Q] of many states, with the plan of the rule in each, int64 [N].
    """

    settings: SplitSettings
    devices: tuple[Device, Device, Device]
    costs: str
    cloud: bool
    plans: tuple[Plan, ...]
    quantities: tuple[str, ...]
    rule: Tree
    best_fixed: str
    satisfaction: Mapping[str, Interval]
    gains: Mapping[str, Interval]
    share: Interval
    taken: Mapping[str, float]
    num_requests: tuple[int, int]
    notes: tuple[str, ...]
    states: tuple[NDArray[np.float64], NDArray[np.int64]]

    @property
    def rule_plans(self) -> list[str]:
        """Names of the plans that the rule takes, each once, the most frequent first."""
        shares: dict[str, float] = {}
        for leaf in leaves(self.rule):
            name = self.plans[leaf.action].name
            shares[name] = shares.get(name, 0.0) + leaf.share
        return sorted(shares, key=lambda name: -shares[name])

    def as_dict(self) -> dict[str, Any]:
        """All but the states, as JSON holds it."""

        def node(tree: Tree) -> dict[str, Any]:
            if isinstance(tree, Leaf):
                return {"plan": self.plans[tree.action].name, "share_of_states": tree.share}
            name = self.quantities[tree.quantity]
            return {"quantity": name, "threshold": tree.threshold, "below": node(tree.below), "above": node(tree.above)}

        return {
            **{name: vars(device) for name, device in zip(("edge", "user", "cloud"), self.devices, strict=True)},
            "costs": self.costs,
            "scenario": {"name": self.settings.scenario.NAME} | vars(self.settings.scenario),
            "has_cloud": self.cloud,
            "link": self.settings.link,
            "acceptance": str(self.settings.acceptance_rule),
            "plans": [plan.name for plan in self.plans],
            "rule": node(self.rule),
            "best_fixed": self.best_fixed,
            "satisfaction": {name: _plain(value) for name, value in self.satisfaction.items()},
            "gains": {name: _plain(value) for name, value in self.gains.items()},
            "share_of_optimum": _plain(self.share),
            "taken_by_optimum": dict(self.taken),
            "num_requests": dict(zip(("train", "test"), self.num_requests, strict=True)),
            "notes": list(self.notes),
        }


def check_advisable(settings: SplitSettings) -> None:
    """Refuse what no rule over the present state can answer.

    Raises:
        ValueError: a scenario in which decisions reach later requests.
    """
    if settings.scenario.IS_SEQUENTIAL:
        raise ValueError(
            f"advise is for requests that do not wait for each other, scenario {settings.scenario.NAME} is not: "
            "see the policy planner, python -m agents evaluate"
        )


def quantities_of(model: Any, observations: NDArray[np.float32]) -> NDArray[np.float64]:
    """The `QUANTITIES` of states [N, 7 + k], and what the scenario shows of its own, float64 [N, Q]."""
    shown = model.observation.to_state(observations)
    state = model.costs.link_shown(shown)
    named = shown | state._asdict()
    named["rate_bps"] = model.link.rate_bps(state.bandwidth_hz, state.snr_db)
    return np.stack([named[name] for name in (*QUANTITIES, *model.scenario.FEATURES)], axis=1)


def advise(settings: SplitSettings, lists: PlanLists, how: AdviceSettings) -> Advice:
    """Find the rule and judge it.

    The rule takes a split only where that is worth its trouble: by `LUCK` more than all that splits nothing.

    Args:
        settings: of the environment, with the requests to judge on; its plans do not matter.
        lists: of plans, of the same environment.
        how: it is done.

    Raises:
        ValueError: as of `check_advisable`; the reward is a vector.
    """
    check_advisable(settings)
    end = "" if how.cloud else NO_CLOUD
    judge = Judge.of(settings, lists)
    rule, fixed = _fitted_rule(judge.known, lists, lists.members[ALL + end], how)
    found = judge.optima(sample_observations(judge.model, how.num_states, how.seed + 1))
    many = quantities_of(found.model, sample_observations(found.model, MANY * how.num_states, how.seed + 2))
    own = decide(rule, quantities_of(found.model, found.observations)), np.full(how.num_states, fixed)
    judged = margins_of_actions(found.model, found.observations, np.stack(own))
    earned = {"best_fixed": judged[1], "rule": judged[0], SPLITS: found.earned[SPLITS]}
    earned |= {"opponents": found.earned[CHOSEN + end], "optimum": found.earned[ALL + end]}
    counts = np.bincount(found.actions(ALL + end), minlength=len(lists.names))
    return Advice(
        settings=found.model.settings,
        devices=(judge.model.costs.edge, judge.model.costs.user, judge.model.settings.cloud_device),
        costs=judge.model.cost_source.name,
        cloud=how.cloud,
        plans=found.model.plans,
        quantities=(*QUANTITIES, *found.model.scenario.FEATURES),
        rule=rule,
        best_fixed=lists.names[fixed],
        satisfaction={name: earned[name].interval() for name in SHOWN} | {"bound": found.bounds[ALL + end].interval()},
        gains={
            "adaptive": (earned["optimum"] - earned["best_fixed"]).interval(),
            "rule": (earned["rule"] - earned["best_fixed"]).interval(),
            "splitting": found.adds(cloud=False),
            "splitting_with_cloud": found.adds(),
        },
        share=ratio_of_margins(earned["rule"], earned["optimum"]),
        taken={
            lists.names[i]: float(counts[i]) / counts.sum() for i in np.argsort(-counts, kind="stable") if counts[i]
        },
        num_requests=(len(judge.known.requests), len(found.model.requests)),
        notes=lists.notes,
        states=(many, decide(rule, many)),
    )


def _fitted_rule(model: Any, lists: PlanLists, allowed: NDArray[np.int64], how: AdviceSettings) -> tuple[Tree, int]:
    """The rule over some plans of the model of the training requests, and the one plan that is best everywhere."""
    observations = sample_observations(model, how.num_states, how.seed)
    rewards, values = model.expected_rewards(observations)[:, allowed], quantities_of(model, observations)
    places = [round_thresholds(column) for column in values.T]
    wanted = rewards - LUCK * np.isin(allowed, lists.members[SPLITS])
    tree = fit_tree(values, wanted, places, how.max_leaves, LEAST_GAIN)
    return renamed(tree, allowed), int(allowed[rewards.mean(axis=0).argmax()])


def _plain(interval: Interval) -> dict[str, float | None]:
    """An interval as JSON holds it, which has no NaN."""
    return {name: None if np.isnan(value) else value for name, value in vars(interval).items()}
