"""Policies with one `predict`: fixed schemes, model-based bounds and rules, trained agents."""

from agents.policies.base import FixedPolicy, Policy, Predictor, RandomPolicy
from agents.policies.loading import POLICY_NAMES, REQUIRED_PLANS, SCHEMES, load_policy
from agents.policies.model_based import Clairvoyant, EstimatedState, Oracle, fitted
from agents.policies.planner import Planner

__all__ = [
    "POLICY_NAMES",
    "REQUIRED_PLANS",
    "SCHEMES",
    "Clairvoyant",
    "EstimatedState",
    "FixedPolicy",
    "Oracle",
    "Planner",
    "Policy",
    "Predictor",
    "RandomPolicy",
    "fitted",
    "load_policy",
]
