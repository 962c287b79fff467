"""Every policy on the same requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.evaluation.entries import Outcomes
from agents.evaluation.rollouts import evaluate
from agents.policies import REQUIRED_PLANS, Policy, Predictor, load_policy
from envs import SplitSettings, SplitVectorEnv


@dataclass(frozen=True)
class Contender:
    """A policy, and an environment of its own to act in."""

    policy: Predictor
    environment: SplitVectorEnv

    def serve(self, num_requests: int, seed: int) -> Outcomes:
        """What `agents.evaluate` gives, and `split`, the steps at the edge.

        Rows of the same seed and number of sessions are the same requests, link and channel draws for every policy;
        what a policy draws itself does not depend on what it served before.
        """
        policy = self.policy.fresh() if isinstance(self.policy, Policy) else self.policy
        outcomes = evaluate(policy, self.environment, num_requests, seed)
        return outcomes | {"split": self.environment.model.edge_steps[outcomes["action"]]}


def contender(policy: str | Predictor, settings: SplitSettings, num_envs: int) -> Contender:
    """Load a policy.

    One whose plan is not in the environment's list gets an environment that differs only in that: it serves the same
    requests over the same channel draws, whatever else was measured of its own plans.

    Args:
        policy: a name, a path, or the policy itself.
        settings: of the environment.
        num_envs: sessions side by side.

    Raises:
        ValueError: an unknown policy, or one that does not fit the environment.
    """
    environment = SplitVectorEnv(num_envs, settings)
    if not isinstance(policy, str):
        return Contender(policy, environment)
    required = REQUIRED_PLANS.get(policy)
    if required and not set(required) <= set(environment.model.plan_names):
        quality = environment.model.quality
        same = environment.model.profile.limited(quality.num_requests, quality.num_draws)
        environment = SplitVectorEnv(num_envs, settings, plans=required, profile=same)
    return Contender(load_policy(policy, environment), environment)


def compare(contenders: Mapping[str, Contender], *, num_requests: int, seed: int) -> dict[str, Outcomes]:
    """Serve the same N requests with every policy, label by label; all with the same number of sessions."""
    return {label: contender.serve(num_requests, seed) for label, contender in contenders.items()}
