"""Double dueling deep Q-network on stable-baselines3: algorithm, network and prioritised replay, a file each."""

from agents.d3qn.algorithm import D3QN
from agents.d3qn.network import D3QNPolicy, DuelingQNetwork
from agents.d3qn.prioritized_replay import PrioritizedReplayBuffer
from agents.d3qn.target import double_q_target

__all__ = ["D3QN", "D3QNPolicy", "DuelingQNetwork", "PrioritizedReplayBuffer", "double_q_target"]
