"""What a served request is worth: one reward a file, behind one interface."""

from envs.rewards.choice import REWARDS, RewardChoice, make_reward
from envs.rewards.interface import Delivered, Reward, has_failed
from envs.rewards.qoe import QoE, image_quality
from envs.rewards.satisfaction import Satisfaction, satisfaction
from envs.rewards.vector import Objectives

__all__ = [
    "REWARDS",
    "Delivered",
    "Objectives",
    "QoE",
    "Reward",
    "RewardChoice",
    "Satisfaction",
    "has_failed",
    "image_quality",
    "make_reward",
    "satisfaction",
]
