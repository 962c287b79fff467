"""What decisions earn in sampled states with every request, exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.statistics import Margins

CHUNK = 256
"""States whose expected rewards with every request are worked on at a time."""


def margins_of_actions(model: Any, observations: NDArray[np.float32], actions: NDArray[np.int64]) -> Margins:
    """Expected rewards of plans [K, N] in states [N, 7] with each request of a model, over channel draws alone."""
    return margins_of_choices(model, observations, lambda rows, _: actions[:, rows])[0]


def margins_of_choices(
    model: Any,
    observations: NDArray[np.float32],
    choose: Callable[[slice, NDArray[np.float64]], NDArray[np.int64]],
) -> tuple[Margins, NDArray[np.float64]]:
    """The same of plans that are chosen on the way.

    Args:
        model: of an environment.
        observations: [N, 7 + k].
        choose: (rows of some n states, expected reward of every plan over the model's requests [n, P]) -> the plans
            that K policies take in them, [K, n].

    Returns:
        (what the policies earn, margins [K]; expected reward of every plan, float64 [N, P]).
    """
    by_state, by_request, expected = [], np.zeros(()), []
    for start in range(0, len(observations), CHUNK):
        rows = slice(start, start + CHUNK)
        rewards = model.expected_rewards(observations[rows], by_request=True)  # [R, n, P]
        expected.append(rewards.mean(axis=0))
        taken = rewards[:, np.arange(rewards.shape[1]), choose(rows, expected[-1])]  # [R, K, n]
        by_state.append(taken.mean(axis=0))
        by_request = by_request + taken.sum(axis=-1).T
    return Margins(np.concatenate(by_state, axis=-1), by_request / len(observations)), np.concatenate(expected)
