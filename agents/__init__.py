"""Learning agents, fixed and model-based policies, rollouts and statistics.

What needs torch is imported at first use, so that the other policies load at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agents.evaluation.rollouts import evaluate
from agents.evaluation.statistics import BinnedMeans, Crossed, Interval, binned_means, mean_interval, paired_difference
from agents.policies import POLICY_NAMES, REQUIRED_PLANS, Policy, Predictor, load_policy

if TYPE_CHECKING:
    from agents.d2sac import D2SAC
    from agents.d3qn import D3QN, D3QNPolicy
    from agents.factory import ALGORITHMS, default_hyperparameters, make_agent
    from agents.linucb import LinUCB
    from agents.policies.trained import TrainedPolicy, save_policy
    from agents.sb3_vec_env import SB3VecEnv

_LAZY = {
    "D2SAC": "agents.d2sac",
    "D3QN": "agents.d3qn",
    "D3QNPolicy": "agents.d3qn",
    "ALGORITHMS": "agents.factory",
    "make_agent": "agents.factory",
    "default_hyperparameters": "agents.factory",
    "LinUCB": "agents.linucb",
    "TrainedPolicy": "agents.policies.trained",
    "save_policy": "agents.policies.trained",
    "SB3VecEnv": "agents.sb3_vec_env",
}

__all__ = [
    "ALGORITHMS",
    "D2SAC",
    "D3QN",
    "POLICY_NAMES",
    "REQUIRED_PLANS",
    "BinnedMeans",
    "Crossed",
    "D3QNPolicy",
    "Interval",
    "LinUCB",
    "Policy",
    "Predictor",
    "SB3VecEnv",
    "TrainedPolicy",
    "binned_means",
    "default_hyperparameters",
    "evaluate",
    "load_policy",
    "make_agent",
    "mean_interval",
    "paired_difference",
    "save_policy",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
