"""A policy that looks ahead where decisions reach later requests."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.planning import Values, choices_at, fit_values, levels_of, present_moment
from agents.policies.base import Actions, Observations, Policy

BACKLOG_STEP_S, BATTERY_STEP_J = 0.1, 20.0
"""Of the grids of a planner that is loaded by its name."""
NUM_STATES = 1000
"""Sampled at each request to fit its values."""


class Planner(Policy):
    """The largest reward of the request and mean worth of what it leaves, on the true state and the request's number.

    It looks into the environment itself, so it must be asked about the environment's present observations.

    Args:
        env: the unwrapped environment, single or vectorised, whose present observations are asked about.
        values: fitted for a model of it.
        model: that model, by which decisions are made; None: the environment's own.
    """

    def __init__(self, env: Any, values: Values, model: Any = None) -> None:
        self.env, self.values, self.model = env, values, env.model if model is None else model

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals.

        Raises:
            ValueError: another number of observations than environments.
        """
        moment, levels = present_moment(self.env), self.values.levels
        if len(moment.features) != len(observations):
            raise ValueError(
                f"planner needs {len(moment.features)} observations, one an environment; got {len(observations)}"
            )
        index = levels.index(moment.state.features[levels.name])[:, None]
        outlook = self.values.outlook(self.env.core.get_state()["served"], moment.features)
        totals = choices_at(self.model, levels, moment.state, index).totals(outlook)[:, 0]
        totals[~np.atleast_2d(self.env.action_masks())] = -np.inf
        return totals.argmax(axis=1)


def planner(env: Any, model: Any, seed: int) -> Planner:
    """Fit a planner's values to a model of an environment.

    Args:
        env: the unwrapped environment that it acts in.
        model: of the requests that it is fitted on.
        seed: of the sampled states.

    Raises:
        ValueError: a scenario in which decisions do not reach later requests, another reward than satisfaction, or a
            mean over a window.
    """
    levels = levels_of(model, BACKLOG_STEP_S, BATTERY_STEP_J)
    return Planner(env, fit_values(model, levels, NUM_STATES, seed), model)
