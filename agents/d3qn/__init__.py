"""Double dueling deep Q-network on stable-baselines3: algorithm, network and prioritised replay, a file each."""

from agents.d3qn.algorithm import D3QN, double_q_target
from agents.d3qn.network import D3QNPolicy, DuelingQNetwork
from agents.d3qn.prioritized_replay import PrioritizedReplayBuffer

__all__ = ["D3QN", "D3QNPolicy", "DuelingQNetwork", "PrioritizedReplayBuffer", "double_q_target"]
