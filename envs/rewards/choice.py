"""Rewards by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envs.rewards.interface import Reward
from envs.rewards.qoe import QoE
from envs.rewards.satisfaction import Satisfaction
from envs.rewards.vector import Objectives

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
    weights = dict(choice) if isinstance(choice, Mapping) else {"name": choice}
    name = weights.pop("name", None)
    if name not in REWARDS:
        raise ValueError(f"unknown reward {name!r}; allowed: {', '.join(REWARDS)}")
    allowed = () if name == "satisfaction" else tuple(QoE.__dataclass_fields__)
    if unknown := [str(key) for key in weights if key not in allowed]:
        raise ValueError(
            f"unknown keys in reward {name}: {', '.join(unknown)}; allowed: {', '.join(allowed) or 'none'}"
        )
    if name == "vector":
        return Objectives(scales=QoE(**weights))
    return REWARDS[name](**weights)
