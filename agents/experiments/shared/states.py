"""Sampled states with the exact expected reward of every plan in each, and requests served along an axis.

The expectation is over the profile's requests and channel draws, so that of a decision only the states and the
requests are a sample: intervals resample both (`Margins`), are far narrower than those of served requests, and two
policies are compared on the same states and requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.entries import Outcomes, crossed
from agents.evaluation.expected import margins_of_actions
from agents.evaluation.statistics import Crossed, Interval, Margins, column_intervals, mean_interval, paired_difference
from agents.experiments.shared.study import EVERY_PLAN
from agents.policies import SCHEMES, Predictor
from agents.policies.model_based import sample_observations
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Points

FRAMEWORKS = ("root", "non_root", "non_finetuning", "edge", "local")
"""The five frameworks of the paper, SemAIGC with ROOT first."""
FIXED = FRAMEWORKS[1:]


@dataclass(frozen=True)
class States:
    """N independent states.

    Attributes:
        observations: float32 [N, 7].
        rewards: float64 [N, P], expected reward of every plan of `EVERY_PLAN`; column k <= T is split k.
        plan_names: P names.
        num_inference_steps: T.
        model: whose expectations they are.
    """

    observations: NDArray[np.float32]
    rewards: NDArray[np.float64]
    plan_names: tuple[str, ...]
    num_inference_steps: int
    model: Any

    @property
    def split_rewards(self) -> NDArray[np.float64]:
        """Expected rewards of the splits 0..T, [N, T + 1]."""
        return self.rewards[:, : self.num_inference_steps + 1]

    def actions(self, name: str, root: Predictor | None = None) -> NDArray[np.int64]:
        """Plan that a framework (or `oracle_bound`, the best split) takes in every state, int64 [N]."""
        if name == "root":
            if root is None:
                raise ValueError("the actions of root need its policy")
            return np.asarray(root.predict(self.observations, deterministic=True)[0], dtype=np.int64)
        if name == "oracle_bound":
            return self.split_rewards.argmax(axis=1)
        plan = SCHEMES[name](self.num_inference_steps)
        return np.full(len(self.rewards), self.plan_names.index(plan.name), dtype=np.int64)

    def rewards_of(self, actions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Expected reward of one plan in each state, [N]."""
        return self.rewards[np.arange(len(actions)), actions]

    def expected(self, name: str, root: Predictor | None = None) -> NDArray[np.float64]:
        """Expected reward of a framework (or `oracle_bound`) in every state, [N]."""
        return self.rewards_of(self.actions(name, root))

    def margins(self, actions: Mapping[str, NDArray[np.int64]]) -> dict[str, Margins]:
        """What policies that take these plans [N] earn in every state with every request."""
        found = margins_of_actions(self.model, self.observations, np.stack(list(actions.values())))
        return {name: found[index] for index, name in enumerate(actions)}


def sample_states(settings: SplitSettings, num_states: int, seed: int) -> States:
    """Draw states of an environment's scenario and price every plan in them.

    Args:
        settings: of the environment; its plans are replaced by `EVERY_PLAN`.
        num_states: N.
        seed: of the states; two scenarios that differ in one range share the luck of all the others.
    """
    model = SplitVectorEnv(1, settings, plans=list(EVERY_PLAN)).model
    observations = sample_observations(model, num_states, seed)
    rewards = model.expected_rewards(observations)
    return States(observations, rewards, model.plan_names, model.num_inference_steps, model)


def share_of(own: ArrayLike, best: ArrayLike) -> NDArray[np.float64]:
    """`own / best`; where there is nothing to reach, 1 for nothing and infinity for anything."""
    part, whole = np.asarray(own, dtype=np.float64), np.asarray(best, dtype=np.float64)
    return np.divide(part, whole, out=np.where(part > 0, np.inf, 1.0), where=whole > 0)


def mean_over_states(values: NDArray[np.floating]) -> Interval:
    """Mean over independent states, or requests, with its 95 % bootstrap interval over these."""
    return column_intervals(values[:, None])[0]


def difference(values: ArrayLike, baseline: ArrayLike) -> Interval:
    """Mean paired difference over independent states, or requests, with its 95 % bootstrap interval over these."""
    return mean_over_states(np.asarray(values, dtype=np.float64) - np.asarray(baseline))


@dataclass(frozen=True)
class Sweep:
    """Served requests along one axis, one entry a point."""

    points: Points
    served: list[dict[str, Outcomes]]

    def means(self, policy: str, measure: str) -> NDArray[np.float64]:
        """Mean at each point."""
        return np.array([each[policy][measure].mean() for each in self.served])

    def intervals(self, policy: str, measure: str) -> list[Interval]:
        """Mean at each point with its interval over sessions and requests."""
        return [mean_interval(each[policy][measure], crossed(each[policy])) for each in self.served]

    def over_root(self, index: int, policy: str, measure: str) -> Interval:
        """A framework less ROOT at one point, on the same requests."""
        own, root = (self.served[index][name] for name in (policy, "root"))
        return paired_difference(own[measure], root[measure], crossed(own))

    def over_root_everywhere(self, policy: str, measure: str) -> Interval:
        """A framework less ROOT in the mean over the points, which share the luck of sessions and requests."""
        pairs = [(each[policy], each["root"]) for each in self.served]
        gaps = np.concatenate([own[measure] - root[measure] for own, root in pairs])
        labels = [crossed(own) for own, _ in pairs]
        both = (np.concatenate([getattr(each, name) for each in labels]) for name in ("episodes", "requests"))
        return mean_interval(gaps, Crossed(*both))


@dataclass(frozen=True)
class ServedByAgents:
    """Outcomes of the same requests, policy by policy: of each of its agents."""

    outcomes: Mapping[str, list[Outcomes]]

    def rewards(self, policy: str) -> NDArray[np.float64]:
        """Mean reward over the agents of each request, [N]."""
        return np.mean([each["reward"] for each in self.outcomes[policy]], axis=0)

    def satisfaction(self, policy: str) -> Interval:
        """Mean reward, with its interval over sessions and requests, for these agents."""
        return mean_interval(self.rewards(policy), crossed(self.outcomes[policy][0]))

    def gain(self, policy: str, baseline: str) -> Interval:
        """Paired difference, request by request."""
        return paired_difference(self.rewards(policy), self.rewards(baseline), crossed(self.outcomes[policy][0]))

    def mean(self, policy: str, measure: str) -> float:
        """Mean of a measure over requests and agents."""
        return float(np.mean([each[measure].mean() for each in self.outcomes[policy]]))
