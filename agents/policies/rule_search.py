"""The best simple rules and prices, found by serving requests, for scenarios where decisions reach later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

import numpy as np

from agents.policies.base import Actions, FixedPolicy, Observations, Policy
from agents.policies.model_based import check_one_reward
from envs import SplitSettings, SplitVectorEnv

COARSE_PLANS = 7
COARSE_THRESHOLDS = 8
THRESHOLDS = 24
ROUNDS = 2

Choice = TypeVar("Choice")


@dataclass(frozen=True)
class TwoPlans(Policy):
    """One action below a threshold on an observed quantity, another from it on.

    Attributes:
        index: of the quantity in the observation.
        low_action, high_action: below the threshold, and from it on.
        threshold: scaled to [0, 1] as the observation is.
    """

    index: int
    low_action: int
    high_action: int
    threshold: float

    def actions(self, observations: Observations) -> Actions:
        """One of the two actions for each observation, int64 [N]."""
        return np.where(observations[:, self.index] < self.threshold, self.low_action, self.high_action)


class RuleSearch:
    """Searches rules by their mean reward in the same sessions, from their first request to their last.

    Args:
        settings: of the environment.
        num_requests: served by each candidate; whole sessions, one at least.
        seed: of the requests.

    Raises:
        ValueError: the reward is a vector.
    """

    def __init__(self, settings: SplitSettings, num_requests: int, seed: int) -> None:
        self.steps = SplitVectorEnv(1, settings).model.settings.episode_length
        self.env = SplitVectorEnv(max(1, num_requests // self.steps), settings)
        check_one_reward(self.env.model)
        self.seed = seed
        self.names = self.env.model.observation.names
        self.num_plans = len(self.env.model.plan_names)

    @classmethod
    def for_model(cls, model: Any, num_requests: int, seed: int) -> RuleSearch:
        """A search in the environment of a model, on its profile."""
        changes = {"profile": model.profile, "channel": None, "fidelity": "profile"}
        return cls(replace(model.settings, **changes), num_requests, seed)

    def best_fixed(self) -> FixedPolicy:
        """The action that serves best."""
        return FixedPolicy(self.best(range(self.num_plans), FixedPolicy))

    def two_plans(self) -> TwoPlans:
        """The best rule of two actions that switches on the edge's capability, or on what the scenario adds.

        First all pairs of some plans with some thresholds, on each quantity; from the best of them on, every low
        action, every high action and finer thresholds in turn.
        """
        quantities = [self.names.index(name) for name in self.names if name in ("edge_capability_hz", *self.names[7:])]
        some = np.unique(np.linspace(0, self.num_plans - 1, COARSE_PLANS).round().astype(int)).tolist()
        coarse = [
            TwoPlans(index, low, high, threshold)
            for index in quantities
            for low, high, threshold in product(some, some, self._thresholds(index, COARSE_THRESHOLDS))
            if low != high
        ]
        rule = self.best(coarse, lambda rule: rule)
        for _ in range(ROUNDS):
            rule = self.best([replace(rule, low_action=a) for a in range(self.num_plans)], lambda rule: rule)
            rule = self.best([replace(rule, high_action=a) for a in range(self.num_plans)], lambda rule: rule)
            finer = [rule.threshold, *self._thresholds(rule.index, THRESHOLDS)]
            rule = self.best([replace(rule, threshold=value) for value in finer], lambda rule: rule)
        return rule

    def _thresholds(self, index: int, count: int) -> list[float]:
        """Values that the quantity takes, evenly between those of a rule that spends something everywhere."""
        observations = [self.env.reset(seed=self.seed)[0]]
        for _ in range(self.steps - 1):
            observations.append(self.env.step(np.arange(self.env.num_envs) % self.num_plans)[0])
        values = np.concatenate(observations)[:, index]
        return np.quantile(values, np.linspace(0.0, 1.0, count + 2)[1:-1]).tolist()

    def best(self, choices: Iterable[Choice], policy: Callable[[Choice], Policy]) -> Choice:
        """The choice whose policy serves best; the first of equals."""
        return max(choices, key=lambda choice: self.mean_reward(policy(choice)))

    def mean_reward(self, policy: Policy) -> float:
        """Mean reward of a policy in all sessions."""
        observations: Any = self.env.reset(seed=self.seed)[0]
        total = 0.0
        for _ in range(self.steps):
            observations, rewards, *_ = self.env.step(policy.actions(observations))
            total += float(rewards.mean())
        return total / self.steps


PER_EDGE_S = (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06)
PER_USER_J = (0.0, 2e-5, 5e-5, 1e-4, 1.5e-4, 2e-4, 3e-4)


class Priced(Policy):
    """`argmax_a E[reward | state, a] - price x what a takes`: the edge's seconds, or the user's joules.

    One number tells a myopic rule of the future: the reward that a second of the queue, or a joule of the battery,
    is worth to later requests. What a plan takes is that of one attempt.

    Source: own derivation (a constant multiplier of the constraint on the resource).

    Args:
        env: the unwrapped environment, single or vectorised, whose present observations are asked about.
        per_edge_s: reward per second of the edge.
        per_user_j: reward per joule of the user.
    """

    def __init__(self, env: Any, per_edge_s: float = 0.0, per_user_j: float = 0.0) -> None:
        self.env, self.per_edge_s, self.per_user_j = env, per_edge_s, per_user_j

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals."""
        model = self.env.model
        prices = model.costs.price(model.costs.link_shown(model.observation.to_state(observations)))
        parts_s = prices.parts_s(1)
        taken = self.per_edge_s * parts_s.edge + self.per_user_j * prices.user_power_w * parts_s.user
        values = model.expected_rewards(observations) - taken
        values[~np.atleast_2d(self.env.action_masks())] = -np.inf
        return values.argmax(axis=1)


def best_prices(search: RuleSearch) -> dict[str, float]:
    """The best price on what the scenario makes scarce, as `Priced` takes it; empty where nothing is."""
    if "backlog_s" in search.names:
        return {"per_edge_s": search.best(PER_EDGE_S, lambda price: Priced(search.env, per_edge_s=price))}
    if "battery_j" in search.names:
        return {"per_user_j": search.best(PER_USER_J, lambda price: Priced(search.env, per_user_j=price))}
    return {}
