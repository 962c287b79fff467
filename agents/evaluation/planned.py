"""What splitting adds where decisions reach later requests: a planner for every list of plans, and bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.entries import Outcomes, crossed, session_means
from agents.evaluation.rollouts import evaluate
from agents.evaluation.statistics import Interval, column_intervals, mean_interval, paired_difference
from agents.evaluation.worth import ALL, COMPARED, NO_CLOUD, SPLITS, Compared, Judge, PlanLists, often
from agents.planning import bound_rewards, fit_values, levels_of, record_path, some_sessions
from agents.policies import Planner, fitted
from agents.policies.model_based import sample_observations
from envs import SplitSettings, SplitVectorEnv, checks
from envs.checks import Count

PRICES = (0.0, *np.geomspace(0.01, 10.0, 13))
"""Of the scarce resource: reward for the mean amount that the plans take of it."""
KEPT_SHARE = 0.95
"""Of the states and prices in which the splits that are kept are the best ones."""


@dataclass(frozen=True)
class PlannerSizes:
    """Sizes of planners.

    Attributes:
        num_sessions: that every list's planner serves.
        bound_sessions: the first ones of them, over which bounds are taken.
        num_states: sampled at each request to fit its values.
        backlog_step_s, battery_step_j: of the grids.
    """

    num_sessions: Count
    bound_sessions: Count
    num_states: Count
    backlog_step_s: float
    battery_step_j: float

    def __post_init__(self) -> None:
        if self.bound_sessions > self.num_sessions:
            raise ValueError(
                f"planner.bound_sessions must be at most num_sessions, {self.num_sessions}, got {self.bound_sessions}"
            )
        for name in ("backlog_step_s", "battery_step_j"):
            checks.number(f"planner.{name}", getattr(self, name), above=0.0)


@dataclass(frozen=True, eq=False)
class Planned(Compared):
    """Planners of several lists on the same sessions.

    Attributes:
        lists: the lists, with those splits alone that states take at prices of the resource.
        served: list -> what its planner, fitted on the training requests, got, one row a request.
        bounds: list -> float64 [n], for each of the first sessions, a reward that no policy with its plans passes in
            the mean; of those that were asked for.
        lost: of the reward at the worst of the prices, in the mean over states, by the splits that were left out.
    """

    lists: PlanLists
    served: Mapping[str, Outcomes]
    bounds: Mapping[str, NDArray[np.float64]]
    lost: float

    def mean(self, name: str) -> Interval:
        """Mean reward of a list's planner, over sessions and requests."""
        return mean_interval(self.served[name]["reward"], crossed(self.served[name]))

    def most_taken(self, name: str) -> str:
        """The plan that a list's planner takes most, and for which share of the requests."""
        return often(self.lists.of(name), self.served[name]["action"])

    def gain(self, name: str, baseline: str) -> Interval:
        """Of one list's planner over another's, on the same requests."""
        own, other = self.served[name], self.served[baseline]
        return paired_difference(own["reward"], other["reward"], crossed(own))

    def session_gain(self, name: str, baseline: str) -> NDArray[np.float64]:
        """The same of every session, float64 [N]."""
        return session_means(self.served[name]) - session_means(self.served[baseline])

    def bound_gain(self, name: str, baseline: str) -> Interval:
        """Of one list's bound over another's, over sessions; NaN where they were not asked for."""
        if not {name, baseline} <= self.bounds.keys():
            return Interval(np.nan, np.nan, np.nan)
        return column_intervals((self.bounds[name] - self.bounds[baseline])[:, None])[0]

    def at_most(self, name: str, baseline: str) -> Interval:
        """What no policy with the one list's plans has more than the other's planner, over sessions."""
        bound = self.bounds[name]
        return column_intervals((bound - session_means(self.served[baseline])[: len(bound)])[:, None])[0]

    def bound(self, name: str) -> Interval:
        """Mean over sessions of what no policy with a list's plans passes."""
        return column_intervals(self.bounds[name][:, None])[0]

    def joules_per_image(self, name: str) -> float:
        """Energy of both devices for each accepted image of a list's planner."""
        own = self.served[name]
        return float(own["energy_j"].sum() / max(1, own["accepted"].sum()))


def planned(
    base: SplitSettings,
    lists: PlanLists,
    sizes: PlannerSizes,
    seed: int,
    names: Iterable[str] = COMPARED,
    bounds: Iterable[str] = (),
) -> Planned:
    """Fit a planner for each list, and let all serve the same sessions.

    Args:
        base: settings of the environment, with the profile itself; its plans are replaced by those of the lists.
        lists: of `plan_lists`.
        sizes: of the planners.
        seed: of the sessions.
        names: of the lists; those without any plan are left out.
        bounds: those of them whose bound is wanted.

    Raises:
        ValueError: a scenario that planning is not for, another reward than satisfaction, or a grid that is too fine.
    """
    judge = Judge.of(base, lists)
    levels = levels_of(judge.model, sizes.backlog_step_s, sizes.battery_step_j)
    # Lists read different tables: the requests and channel draws that all of them have are served by each.
    quality = judge.model.quality
    shared = replace(base, profile=base.profile.limited(quality.num_requests, quality.num_draws))
    kept, lost = _worth_a_price(judge, sizes.num_states, seed + 1)
    served, limits = {}, {}
    for name in dict.fromkeys((*names, *bounds)):
        if not len(kept.members[name]):
            continue
        env = SplitVectorEnv(sizes.num_sessions, replace(shared, plans=list(kept.of(name))))
        known = fitted(env.model)
        values = fit_values(known, levels, sizes.num_states, seed + 1)
        num_requests = sizes.num_sessions * env.model.settings.episode_length
        served[name] = evaluate(Planner(env, values, known), env, num_requests, seed)
        if name in bounds:
            own = fit_values(env.model, levels, sizes.num_states, seed + 1)
            sessions = some_sessions(record_path(env, seed), slice(sizes.bound_sessions))
            limits[name] = bound_rewards(env.model, own, sessions)
    return Planned(kept, served, limits, lost)


def _worth_a_price(judge: Judge, num_states: int, seed: int) -> tuple[PlanLists, float]:
    """The lists with those splits alone that sampled states take at prices of the resource, and what that loses.

    A planner takes the largest sum of the reward and of what the level after it is worth. Near the level that is a
    price of the resource, the edge's seconds or the user's joules. Splits that are taken least are left out, up to a
    share of the states and prices: there a neighbour is nearly as good. All opponents stay.
    """
    lists, model = judge.lists, judge.known
    observations = sample_observations(model, num_states, seed)
    shown = model.observation.to_state(observations)
    prices = model.costs.price(model.costs.link_shown(shown))
    end = "user" if model.scenario.NAME == "battery" else "edge"
    amount = getattr(prices.once_s, end) + getattr(prices.repeat_s, end)
    rewards, splits = model.expected_rewards(observations), lists.members[SPLITS]
    totals = np.stack([rewards - price * amount / amount.mean() for price in PRICES])  # [prices, N, P]
    counts = np.bincount(splits[totals[..., splits].argmax(axis=-1)].reshape(-1), minlength=len(lists.names))
    often = np.argsort(-counts, kind="stable")
    behind = np.cumsum(counts[often]) - counts[often]  # what those before it make up
    dropped = np.setdiff1d(splits, often[behind < KEPT_SHARE * counts.sum()])
    members = {name: np.setdiff1d(own, dropped) for name, own in lists.members.items()}
    best = [totals[..., own[ALL + NO_CLOUD]].max(axis=-1).mean(axis=-1) for own in (lists.members, members)]
    return replace(lists, members=members), float((best[0] - best[1]).max())
