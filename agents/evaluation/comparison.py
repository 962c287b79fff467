"""Every policy on the same requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from agents.evaluation.rollouts import evaluate
from agents.policies import REQUIRED_PLANS, Predictor, load_policy
from envs import SplitSettings, SplitVectorEnv

Outcomes = dict[str, NDArray[Any]]
"""One policy's requests: arrays [N] by name, see `agents.evaluate`; `split` counts steps at the edge."""


@dataclass(frozen=True)
class Contender:
    """A policy, and an environment of its own to act in."""

    policy: Predictor
    environment: SplitVectorEnv


def contender(policy: str | Predictor, settings: SplitSettings, num_envs: int) -> Contender:
    """Load a policy.

    One whose plan is not in the environment's list gets an environment that differs only in that.

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
        environment = SplitVectorEnv(num_envs, settings, plans=required)
    return Contender(load_policy(policy, environment), environment)


def compare(
    contenders: Mapping[str, Contender],
    *,
    num_requests: int,
    seed: int,
    on_policy: Callable[[str], None] = lambda _: None,
) -> dict[str, Outcomes]:
    """Serve the same requests with every policy; row i of each is the same request, link and channel draws.

    Args:
        contenders: label -> policy; all with the same number of sessions.
        num_requests: N.
        seed: of the requests.
        on_policy: called with the label when a policy's turn has come.

    Returns:
        Label -> outcomes, in the order of `contenders`.
    """
    results = {}
    for label, one in contenders.items():
        on_policy(label)
        outcomes = evaluate(one.policy, one.environment, num_requests, seed)
        results[label] = outcomes | {"split": one.environment.model.edge_steps[outcomes["action"]]}
    return results
