"""What plans earn at every level and what a level is worth, by dynamic programming with fitted values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.levels import Levels
from agents.planning.paths import feature_decay, sample_moment

NUM_KNOTS = 40
"""Levels at which values are fitted, denser near 0; linear in between."""


@dataclass(frozen=True)
class Choices:
    """The decisions of N sessions at L levels.

    Attributes:
        rewards: float64 [N, L, P], exact mean reward of each plan.
        after: int64 [N, L, P, K], grid point after it with 1..K attempts.
        chances: float64 [N, P, K], chance of each number of attempts.
    """

    rewards: NDArray[np.float64]
    after: NDArray[np.int64]
    chances: NDArray[np.float64]

    def totals(self, outlook: NDArray[np.float64]) -> NDArray[np.float64]:
        """Reward of each plan and mean of what the level after it is worth (`outlook`, [N, m]), float64 [N, L, P]."""
        rows = np.arange(len(outlook))[:, None, None]
        totals = self.rewards.copy()
        for attempt in range(self.chances.shape[-1]):
            totals += self.chances[:, None, :, attempt] * outlook[rows, self.after[..., attempt]]
        return totals


def choices_at(model: Any, levels: Levels, state: Any, index: NDArray[np.int64]) -> Choices:
    """Price all plans of N requests.

    Args:
        model: of the environment.
        levels: its grid.
        state: the requests; their own levels are not looked at.
        index: int64 [N, L] or [1, L], grid points.
    """
    prices = model.costs.price(state.link).mapped(lambda seconds: seconds[:, :, :, None])  # an axis for the levels
    accepted, _ = model.quality.acceptance(state.snr_db)
    num_attempts = accepted.shape[-1]
    chances = accepted.copy()
    chances[..., -1] = 1.0 - accepted[..., :-1].sum(axis=-1)
    offer = model.offer({levels.name: levels.values[index][:, :, None]}, prices)
    rewards = model.mean_reward(offer, accepted[:, None], {}, state.latency_low_s[:, None, None])
    taken = np.stack([levels.taken(prices, attempt + 1) for attempt in range(num_attempts)], axis=-1)
    if offer.possible is not None:
        taken = taken * offer.possible[..., None]
    shape = (len(state.snr_db), index.shape[1], len(model.plans))
    after = levels.after(index[:, :, None, None], taken)
    return Choices(np.broadcast_to(rewards, shape), np.broadcast_to(after, (*shape, num_attempts)), chances)


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
