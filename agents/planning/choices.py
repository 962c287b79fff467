"""What every plan earns and takes at every level, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.levels import Levels


@dataclass(frozen=True)
class Choices:
    """The decisions of N sessions at L levels.

    Attributes:
        rewards: float64 [N, L, P], exact mean reward of each plan.
        after: int64 [N, L, P, K], grid point after it with 1..K attempts.
        chances: float64 [N, P, K], chance of so many attempts.
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
