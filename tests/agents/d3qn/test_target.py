from __future__ import annotations

import torch as th

from agents.d3qn import double_q_target


def test_target_takes_the_choosers_action_at_the_targets_value() -> None:
    chooser, target = th.tensor([[0.0, 5.0], [1.0, 0.0]]), th.tensor([[7.0, 2.0], [3.0, 4.0]])
    rewards, dones = th.tensor([[1.0], [1.0]]), th.tensor([[0.0], [1.0]])
    assert double_q_target(rewards, dones, 0.5, chooser, target).tolist() == [[2.0], [1.0]]
    assert double_q_target(rewards, dones, 0.5, target, target).tolist() == [[4.5], [1.0]]
    discounts = th.tensor([[0.25], [0.25]])
    assert double_q_target(rewards, dones, discounts, chooser, target).tolist() == [[1.5], [1.0]]
