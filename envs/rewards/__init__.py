"""What a served request is worth: one reward a file, behind one interface, and by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs import checks
from envs.rewards.interface import Outcome, Reward
from envs.rewards.qoe import QoE, weighted_quality
from envs.rewards.satisfaction import Satisfaction, satisfaction
from envs.rewards.vector import Objectives

__all__ = [
    "REWARDS",
    "Objectives",
    "Outcome",
    "QoE",
    "Reward",
    "RewardChoice",
    "Satisfaction",
    "make_reward",
    "satisfaction",
    "weighted_quality",
]

REWARDS: dict[str, type[Reward]] = {"satisfaction": Satisfaction, "qoe": QoE, "vector": Objectives}
RewardChoice = str | Mapping[str, Any] | Reward


def make_reward(choice: RewardChoice) -> Reward:
    """Make a reward.

    Args:
        choice: a name of `REWARDS`; a mapping of `name` and, for `qoe` and `vector`, weights of `QoE`; or a reward.

    Raises:
        ValueError: an unknown name or weight, or a weight out of its bounds.
    """
    if isinstance(choice, Reward):
        return choice
    name, weights = checks.named("reward", choice)
    checks.choice("reward", name, REWARDS)
    if name == "satisfaction":
        return checks.make(Satisfaction, weights, "reward satisfaction")
    scales = checks.make(QoE, weights, f"reward {name}")
    return Objectives(scales=scales) if name == "vector" else scales
