"""The policy that looks ahead."""

from __future__ import annotations

import numpy as np

from agents.planning.choices import choices_at
from agents.planning.paths import present_moment
from agents.planning.values import Values
from agents.policies import Policy
from agents.policies.base import Actions, Observations
from envs import SplitVectorEnv


class Planner(Policy):
    """The largest reward of the request and mean worth of what it leaves, on the true state and the request's number.

    It looks into the environment itself, so it must be asked about the environment's present observations.

    Args:
        env: whose present observations are asked about.
        values: fitted for its model.
    """

    def __init__(self, env: SplitVectorEnv, values: Values) -> None:
        self.env, self.values = env, values

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals."""
        moment, levels = present_moment(self.env), self.values.levels
        index = levels.index(moment.state.features[levels.name])[:, None]
        request = self.env.get_state()["core"]["served"]
        totals = choices_at(self.env.model, levels, moment.state, index).totals(
            self.values.outlook(request, moment.features)
        )[:, 0]
        totals[~self.env.action_masks()] = -np.inf
        return totals.argmax(axis=1)
