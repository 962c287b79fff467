"""The best simple rules: over sampled states, or, where decisions reach later requests, and with prices, by serving.

They are found on the training requests of the profile, whatever the environment serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.policies.base import Actions, FixedPolicy, Observations, Policy
from agents.policies.model_based import check_one_reward, fitted, sample_observations
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver import TRAIN

SAMPLE_SIZE = 4096
COARSE_PLANS = 7
COARSE_THRESHOLDS = 8
THRESHOLDS = 24
ROUNDS = 2
CAPABILITY = "edge_capability_hz"


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


def best_fixed(model: Any, seed: int = 0) -> FixedPolicy:
    """The one action of the largest mean expected reward over sampled states, or of the largest reward in sessions."""
    check_one_reward(model)
    if model.scenario.IS_SEQUENTIAL:
        return RuleSearch.for_model(model, SAMPLE_SIZE, seed).best_fixed()
    model = fitted(model)
    rewards = model.expected_rewards(sample_observations(model, SAMPLE_SIZE, seed))
    return FixedPolicy(int(rewards.mean(axis=0).argmax()))


def two_split(model: Any, seed: int = 0) -> TwoPlans:
    """The rule of two actions of the largest mean expected reward over sampled states, or of that in sessions."""
    check_one_reward(model)
    if model.scenario.IS_SEQUENTIAL:
        return RuleSearch.for_model(model, SAMPLE_SIZE, seed).two_plans()
    model = fitted(model)
    observations, index = sample_observations(model, SAMPLE_SIZE, seed), model.observation.names.index(CAPABILITY)
    return fit_two_plans(index, observations[:, index], model.expected_rewards(observations))


def fit_two_plans(index: int, values: NDArray[np.floating], rewards: NDArray[np.float64]) -> TwoPlans:
    """Exhaustive search for the best rule, of all pairs of actions and all thresholds.

    Given the threshold, the best actions of the two sides do not depend on each other: with states sorted by the
    quantity, sums over the first n states give the best rule of every threshold at once.

    Args:
        index: of the quantity in the observation.
        values: [N], of the quantity in N states.
        rewards: [N, A], the expected reward of every action.
    """
    order = np.argsort(values, kind="stable")
    below = np.concatenate([np.zeros((1, rewards.shape[1])), rewards[order].cumsum(axis=0)])
    above = below[-1] - below
    first = int((below.max(axis=1) + above.max(axis=1)).argmax())
    threshold = float(np.append(values[order], np.inf)[first])
    return TwoPlans(index, int(below[first].argmax()), int(above[first].argmax()), threshold)


class RuleSearch:
    """Searches rules by their mean reward in the same sessions of training requests, from the first to the last.

    Args:
        settings: of the environment.
        num_requests: served by each candidate; whole sessions, one at least.
        seed: of the requests.

    Raises:
        ValueError: the reward is a vector.
    """

    def __init__(self, settings: SplitSettings, num_requests: int, seed: int) -> None:
        self.steps = settings.episode_length
        self.env = SplitVectorEnv(max(1, num_requests // self.steps), settings, requests=TRAIN)
        check_one_reward(self.env.model)
        self.seed = seed
        self.names = self.env.model.observation.names
        self.num_plans = len(self.env.model.plan_names)

    @classmethod
    def for_model(cls, model: Any, num_requests: int, seed: int) -> RuleSearch:
        """A search in the environment of a model, on its profile."""
        settings = replace(model.settings, profile=model.profile, channel=None, fidelity="profile")
        return cls(settings, num_requests, seed)

    def best_fixed(self) -> FixedPolicy:
        """The action that serves best; the first of equals, as everywhere here."""
        return max(map(FixedPolicy, range(self.num_plans)), key=self.mean_reward)

    def two_plans(self) -> TwoPlans:
        """The best rule of two actions that switches on the edge's capability, or on what the scenario adds.

        First all pairs of some plans with some thresholds, on each quantity; from the best of them on, every low
        action, every high action and finer thresholds in turn.
        """
        quantities = [self.names.index(name) for name in (CAPABILITY, *self.names[7:])]
        some = np.unique(np.linspace(0, self.num_plans - 1, COARSE_PLANS).round().astype(int)).tolist()
        coarse = [
            TwoPlans(index, low, high, threshold)
            for index in quantities
            for low, high, threshold in product(some, some, self._thresholds(index, COARSE_THRESHOLDS))
            if low != high
        ]
        rule = max(coarse, key=self.mean_reward)
        for _ in range(ROUNDS):
            for side in ("low_action", "high_action"):
                rule = max((replace(rule, **{side: a}) for a in range(self.num_plans)), key=self.mean_reward)
            finer = [rule.threshold, *self._thresholds(rule.index, THRESHOLDS)]
            rule = max((replace(rule, threshold=value) for value in finer), key=self.mean_reward)
        return rule

    def _thresholds(self, index: int, count: int) -> list[float]:
        """Values that the quantity takes, evenly between those of a rule that spends something everywhere."""
        observations = [self.env.reset(seed=self.seed)[0]]
        for _ in range(self.steps - 1):
            observations.append(self.env.step(np.arange(self.env.num_envs) % self.num_plans)[0])
        values = np.concatenate(observations)[:, index]
        return np.quantile(values, np.linspace(0.0, 1.0, count + 2)[1:-1]).tolist()

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

    The expectation is over the training requests, as is `oracle`'s.

    One number makes a myopic rule look ahead: the reward that a second of the queue, or a joule of the battery,
    is worth to later requests. What a plan takes is that of one attempt.

    Source: own derivation (a constant multiplier of the constraint on the resource).

    Args:
        env: the unwrapped environment, single or vectorised, whose present observations are asked about.
        per_edge_s: reward per second of the edge.
        per_user_j: reward per joule of the user.
    """

    def __init__(self, env: Any, per_edge_s: float = 0.0, per_user_j: float = 0.0) -> None:
        self.env, self.model = env, fitted(env.model)
        self.per_edge_s, self.per_user_j = per_edge_s, per_user_j

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals."""
        model = self.model
        prices = model.costs.price(model.costs.link_shown(model.observation.to_state(observations)))
        parts_s = prices.parts_s(1)
        taken = self.per_edge_s * parts_s.edge + self.per_user_j * prices.user_power_w * parts_s.user
        values = model.expected_rewards(observations) - taken
        values[~np.atleast_2d(self.env.action_masks())] = -np.inf
        return values.argmax(axis=1)


def best_prices(search: RuleSearch) -> dict[str, float]:
    """The best price on what the scenario makes scarce, as `Priced` takes it; empty where nothing is."""
    prices: list[dict[str, float]] = []
    if "backlog_s" in search.names:
        prices = [{"per_edge_s": price} for price in PER_EDGE_S]
    elif "battery_j" in search.names:
        prices = [{"per_user_j": price} for price in PER_USER_J]
    return max(prices, key=lambda price: search.mean_reward(Priced(search.env, **price)), default={})
