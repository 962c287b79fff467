from __future__ import annotations

import gymnasium as gym
import numpy as np
import torch as th

from agents.d3qn import D3QNPolicy, DuelingQNetwork


def test_dueling_head_subtracts_the_mean_advantage() -> None:
    space = gym.spaces.Box(0.0, 9.0, (2,), np.float32)
    policy = D3QNPolicy(space, gym.spaces.Discrete(3), lambda _: 1e-3, net_arch=[])
    assert isinstance(policy.q_net, DuelingQNetwork)
    layer = policy.q_net.q_net[-1]
    layer.weight.data = th.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    layer.bias.data = th.tensor([10.0, 0.0, 0.0, 0.0])
    # observation (3, 6): V = 13, advantages (3, 6, 0) with mean 3
    assert policy.q_net(th.tensor([[3.0, 6.0]])).tolist() == [[13.0, 16.0, 10.0]]
