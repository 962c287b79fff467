"""Other users' work less the time that passes, between two requests of a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs import costs


def net_work_cdf(seconds: ArrayLike, interval_s: float, load: float, job_s: float) -> NDArray[np.float64]:
    """Chance that work less elapsed time is at most a number of seconds.

    Work is a compound Poisson process with exponential jobs, observed after an exponential time T. With q = 1 / T,
    mu = 1 / job and nu = load / job, the transform of the difference X is

        E[exp(s X)] = q / (q + s - nu s / (mu - s)) = q (mu - s) / ((s1 - s) (s - s2)),   s1 > 0 > s2,

    so X has an exponential tail on either side. Source: own derivation (a Levy process at an exponential time).

    Args:
        seconds: of any shape.
        interval_s: T, > 0.
        load: share of the processor that the jobs take, in [0, 1].
        job_s: mean of a job, > 0.

    Returns:
        float64 of the same shape.
    """
    x = np.asarray(seconds, dtype=np.float64)
    q, mu, nu = 1.0 / interval_s, 1.0 / job_s, load / job_s
    middle = (mu - q - nu) / 2.0
    root = np.sqrt(middle**2 + q * mu)
    upper, lower = middle + root, root - middle  # s1 and -s2
    above = q * (mu - upper) / (upper + lower) / upper
    below = q * (mu + lower) / (upper + lower) / lower
    return np.where(
        x < 0.0, below * np.exp(lower * np.minimum(x, 0.0)), 1.0 - above * np.exp(-upper * np.maximum(x, 0.0))
    )


FINEST = 1e-9
"""Of a step: levels that lie so near to the grid are on it."""
MOST = 5000
"""Levels of the finest grid that is allowed: the chances of the queue alone take 400 MB there."""


@dataclass(frozen=True)
class Levels:
    """A level on a grid of steps, in a system that is never worse off than the real one.

    The level is rounded to the side on which the session is better off, a fuller battery or a shorter queue, and so is
    what a decision takes. The other system can do whatever the real one can, and earns no less: its level stays on the
    better side, rewards do not fall with a better level, and more plans are possible. So what no policy reaches there,
    none reaches here.

    Attributes:
        name: of the level among the scenario's features.
        step: of the grid, in the unit of the level.
        num: n, levels 0, step, ..., (n - 1) step.
        drift: float64 [m, n], chance of each level at the next request given the level after a decision, m >= n; None
            where nothing else moves it (m = n).
    """

    name: str
    step: float
    num: int
    drift: NDArray[np.float64] | None

    @property
    def is_good(self) -> bool:
        """Whether more of it is better."""
        return self.drift is None

    @property
    def values(self) -> NDArray[np.float64]:
        """The levels, float64 [n]."""
        return self.step * np.arange(self.num, dtype=np.float64)

    @property
    def num_after(self) -> int:
        """How many levels there are after a decision, m."""
        return self.num if self.drift is None else len(self.drift)

    def index(self, level: NDArray[np.float64]) -> NDArray[np.int64]:
        """Grid points of levels, rounded to the better side, int64 of the same shape."""
        scaled = level / self.step
        rounded = np.ceil(scaled - FINEST) if self.is_good else np.floor(scaled + FINEST)
        return np.clip(rounded, 0, self.num - 1).astype(np.int64)

    def taken(self, prices: costs.Prices, attempts: int) -> NDArray[np.int64]:
        """Whole steps that a number of attempts takes, of the user's joules or the edge's seconds, rounded down."""
        parts_s = prices.parts_s(attempts)
        amount = parts_s.user * prices.user_power_w if self.is_good else parts_s.edge
        return np.floor(amount / self.step).astype(np.int64)

    def after(self, index: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
        """Grid points after a decision; shapes broadcast."""
        moved = index - taken if self.is_good else index + taken
        return np.clip(moved, 0, self.num_after - 1)

    def outlook(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of functions of the next level [..., n] for each level after a decision, [..., m]."""
        return values if self.drift is None else values @ self.drift.T


def levels_of(model: Any, backlog_step_s: float, battery_step_j: float) -> Levels:
    """The levels of an environment's scenario.

    Args:
        model: of the environment.
        backlog_step_s, battery_step_j: of the grids.

    Raises:
        ValueError: a scenario whose decisions move nothing, another reward than satisfaction, a mean over a window, or
            a grid that is too fine.
    """
    scenario, settings = model.scenario, model.settings
    if model.reward.names != ("satisfaction",) or settings.observation_window != 1:
        raise ValueError(
            "planning needs reward=satisfaction and observation_window=1, got "
            f"{settings.reward!r} and {settings.observation_window}"
        )
    if scenario.NAME == "battery":
        num = _checked("battery_step_j", battery_step_j, np.ceil(scenario.battery_j[1] / battery_step_j - FINEST) + 1)
        return Levels("battery_j", battery_step_j, num, None)
    if scenario.NAME == "queue":
        step = backlog_step_s
        num = _checked("backlog_step_s", step, np.floor(scenario.backlog_limit_s / step + FINEST) + 1)
        next_levels = np.arange(num)
        after = np.arange(2 * num)[:, None]  # beyond, the queue is as good as full
        reached = net_work_cdf(
            (next_levels + 1 - after) * step, scenario.interval_s, scenario.background_load, scenario.background_job_s
        )
        reached[:, -1] = 1.0
        return Levels("backlog_s", step, num, np.diff(reached, axis=1, prepend=0.0))
    raise ValueError(f"planning is for the scenarios queue and battery, got {scenario.NAME}")


def _checked(name: str, step: float, num: float) -> int:
    if not 1 <= num <= MOST:
        raise ValueError(f"{name} must leave at most {MOST} levels, got {step:g}: {num:,.0f}")
    return int(num)
