"""Sampled states with the exact expected reward of every plan in each, and requests served along an axis.

The expectation is over requests and channel draws, so only the states are a sample: intervals are far narrower than
those of served requests, and two policies are compared on the same states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.entries import Outcomes, session_means
from agents.evaluation.statistics import Interval, column_intervals
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
    """

    observations: NDArray[np.float32]
    rewards: NDArray[np.float64]
    plan_names: tuple[str, ...]
    num_inference_steps: int

    @property
    def split_rewards(self) -> NDArray[np.float64]:
        """Expected rewards of the splits 0..T, [N, T + 1]."""
        return self.rewards[:, : self.num_inference_steps + 1]

    def actions(self, name: str, root: Predictor | None = None) -> NDArray[np.int64]:
        """Plan that a framework (or `oracle`) takes in every state, int64 [N]."""
        if name == "root":
            if root is None:
                raise ValueError("the actions of root need its policy")
            return np.asarray(root.predict(self.observations, deterministic=True)[0], dtype=np.int64)
        if name == "oracle":
            return self.split_rewards.argmax(axis=1)
        plan = SCHEMES[name](self.num_inference_steps)
        return np.full(len(self.rewards), self.plan_names.index(plan.name), dtype=np.int64)

    def rewards_of(self, actions: NDArray[np.int64]) -> NDArray[np.float64]:
        """Expected reward of one plan in each state, [N]."""
        return self.rewards[np.arange(len(actions)), actions]

    def expected(self, name: str, root: Predictor | None = None) -> NDArray[np.float64]:
        """Expected reward of a framework (or `oracle`) in every state, [N]."""
        return self.rewards_of(self.actions(name, root))


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
    return States(observations, rewards, model.plan_names, model.profile.num_inference_steps)


def share_of(own: ArrayLike, best: ArrayLike) -> NDArray[np.float64]:
    """`own / best`; where there is nothing to reach, 1 for nothing and infinity for anything."""
    part, whole = np.asarray(own, dtype=np.float64), np.asarray(best, dtype=np.float64)
    return np.divide(part, whole, out=np.where(part > 0, np.inf, 1.0), where=whole > 0)


def mean_over_states(values: NDArray[np.floating]) -> Interval:
    """Mean over independent states with its 95 % bootstrap interval."""
    return column_intervals(values[:, None])[0]


def difference(values: ArrayLike, baseline: ArrayLike) -> Interval:
    """Mean paired difference over independent states with its 95 % bootstrap interval."""
    return mean_over_states(np.asarray(values, dtype=np.float64) - np.asarray(baseline))


@dataclass(frozen=True)
class Sweep:
    """Served requests along one axis, one entry a point."""

    points: Points
    served: list[dict[str, Outcomes]]

    def means(self, policy: str, measure: str) -> NDArray[np.float64]:
        """Mean at each point."""
        return np.array([each[policy][measure].mean() for each in self.served])

    def sessions(self, index: int, policy: str, measure: str) -> NDArray[np.float64]:
        """Mean of each session at one point: sessions are whole and of one length, so they weigh the same."""
        return session_means(self.served[index][policy], measure)

    def intervals(self, policy: str, measure: str) -> list[Interval]:
        """Mean at each point with its interval over sessions."""
        points = range(len(self.points))
        return column_intervals(np.stack([self.sessions(index, policy, measure) for index in points], axis=1))

    def over_root(self, index: int, policy: str, measure: str) -> Interval:
        """A framework less ROOT at one point, on the same requests."""
        gap = self.sessions(index, policy, measure) - self.sessions(index, "root", measure)
        return mean_over_states(gap)
