"""What a level is worth at each request of a session: dynamic programming with fitted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.choices import choices_at
from agents.planning.levels import Levels
from agents.planning.paths import feature_decay, sample_moment

NUM_KNOTS = 40
"""Levels at which values are fitted, denser near 0; linear in between."""


@dataclass(frozen=True)
class Values:
    """The worth of a level, before a decision, as a sum of features of the request's state.

    Attributes:
        levels: the grid.
        outlooks: float64 [T, J, m]: coefficients of what the next request's state and level are worth in the mean,
            over the level after decision t; 0 for the last.
        decay: float64 [J], see `feature_decay`.
    """

    levels: Levels
    outlooks: NDArray[np.float64]
    decay: NDArray[np.float64]

    def outlook(self, request: int, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean worth of the levels after the decision on a request, [N, m], given its features [N, J]."""
        return (features * self.decay) @ self.outlooks[request]


def fit_values(model: Any, levels: Levels, num_states: int, seed: int) -> Values:
    """Go back from the last request to the first: the best decision on sampled states, fitted by least squares.

    Source: Longstaff and Schwartz, "Valuing American options by simulation" (2001), with the conditional mean of the
    features exact rather than fitted.

    Args:
        model: of the environment.
        levels: the grid.
        num_states: sampled at each request.
        seed: of the states.
    """
    rng = np.random.default_rng(seed)
    last = levels.num - 1
    knots = np.unique((last * np.linspace(0.0, 1.0, NUM_KNOTS) ** 1.5).round().astype(np.int64))
    num_gaussians = model.new_scenario().processes["quantities"].rows
    decay = feature_decay(num_gaussians, model.scenario.correlation)
    outlooks = np.zeros((model.settings.episode_length, len(decay), levels.num_after))
    values = Values(levels, outlooks, decay)
    for request in reversed(range(1, len(outlooks))):
        moment = sample_moment(model, num_states, rng)
        outlook = values.outlook(request, moment.features)
        choices = choices_at(model, levels, moment.state, knots[None])
        best = choices.totals(outlook).max(axis=-1)
        coefficients = np.linalg.lstsq(moment.features, best, rcond=None)[0]
        at_levels = np.stack([np.interp(np.arange(levels.num), knots, each) for each in coefficients])
        outlooks[request - 1] = levels.outlook(at_levels)
    return values
