"""The best simple rules, found by serving requests: for scenarios where decisions reach those that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeVar

import numpy as np

from agents.policies.base import Actions, Observations, Policy
from agents.policies.fixed import FixedPolicy
from agents.policies.model_based import check_one_reward
from envs import SplitVectorEnv

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
        settings: constructor keywords of the environment.
        num_requests: served by each candidate; whole sessions, one at least.
        seed: of the requests.

    Raises:
        ValueError: the reward is a vector.
    """

    def __init__(self, settings: Mapping[str, Any], num_requests: int, seed: int) -> None:
        self.steps = SplitVectorEnv(1, **settings).model.settings.episode_length
        self.env = SplitVectorEnv(max(1, num_requests // self.steps), **settings)
        check_one_reward(self.env.model)
        self.seed = seed
        self.names = self.env.model.observation.names
        self.num_plans = len(self.env.model.plan_names)

    @classmethod
    def of(cls, model: Any, num_requests: int, seed: int) -> RuleSearch:
        """A search in the environment of a model, on its profile."""
        settings = vars(model.settings) | {"profile": model.profile, "channel": None}
        return cls(settings, num_requests, seed)

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
