"""The value that an update moves Q towards."""

from __future__ import annotations

import torch as th


def double_q_target(
    rewards: th.Tensor, dones: th.Tensor, discount: float | th.Tensor, chooser_q: th.Tensor, target_q: th.Tensor
) -> th.Tensor:
    """Target `r + (1 - done) discount Q_target(s', argmax_a Q_chooser(s', a))`.

    Source: van Hasselt et al., "Deep Reinforcement Learning with Double Q-learning" (2016), eq. 4; SemAIGC, eq. 26.
    With `chooser_q = target_q` it is the target of plain DQN. With n steps, r is their discounted sum, s' the state
    after them, and the discount gamma to the power of their number.

    Args:
        rewards: float [B, 1].
        dones: float [B, 1]; 1 where the episode terminated, 0 elsewhere, also where it was truncated.
        discount: gamma, or float [B, 1].
        chooser_q: float [B, A]; values that choose the next action (the online network's for double DQN).
        target_q: float [B, A]; values that price the chosen action (the target network's).

    Returns:
        float [B, 1].
    """
    next_actions = chooser_q.argmax(dim=1, keepdim=True)
    return rewards + (1 - dones) * discount * target_q.gather(1, next_actions)
