"""Functions of a request's state whose mean one request later is known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.choices import choices_at
from agents.planning.levels import Levels
from agents.planning.paths import sample_moment


def state_features(gaussians: NDArray[np.float64], latency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hermite polynomials of the correlated quantities up to degree 2, Legendre's of the latency, and products.

    Args:
        gaussians: [G, N], the Gauss-Markov processes, of variance 1.
        latency: [N], the latency requirement before it is mapped to its range, uniform on [0, 1].

    Returns:
        float64 [N, J].
    """
    z, shifted = gaussians, 2.0 * latency - 1.0
    columns = [np.ones_like(latency), *z, *(z**2 - 1.0)]
    columns += [first * second for first, second in combinations(z, 2)]
    columns += [shifted, (3.0 * shifted**2 - 1.0) / 2.0, *(shifted * z)]
    return np.stack(columns, axis=1)


def feature_decay(num_gaussians: int, correlation: float) -> NDArray[np.float64]:
    """Factor by which the mean of each feature shrinks from one request to the next, float64 [J].

    `E[He_n(z') | z] = rho^n He_n(z)` for a Gauss-Markov process of correlation rho; what holds the latency, which is
    drawn anew, has mean 0. Source: Mehler's formula.
    """
    g = num_gaussians
    degrees = [0] + [1] * g + [2] * (g + g * (g - 1) // 2)
    return np.concatenate([np.float64(correlation) ** np.array(degrees), np.zeros(2 + g)])


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
