"""The myopic optimum with a price on what a decision takes from those that follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.policies import Policy
from agents.policies.base import Actions, Observations
from agents.policies.rule_search import RuleSearch

PER_EDGE_S = (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06)
PER_USER_J = (0.0, 2e-5, 5e-5, 1e-4, 1.5e-4, 2e-4, 3e-4)


class Priced(Policy):
    """`argmax_a E[reward | state, a] - price x what a takes`: the edge's seconds, or the user's joules.

    One number tells a myopic rule of the future: the reward that a second of the queue, or a joule of the battery,
    is worth to later requests. What a plan takes is that of one attempt.

    Source: own derivation (a constant multiplier of the constraint on the resource).

    Args:
        env: the unwrapped environment, single or vectorised, whose present observations are asked about.
        per_edge_s: reward per second of the edge.
        per_user_j: reward per joule of the user.
    """

    def __init__(self, env: Any, per_edge_s: float = 0.0, per_user_j: float = 0.0) -> None:
        self.env, self.per_edge_s, self.per_user_j = env, per_edge_s, per_user_j

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals."""
        model = self.env.model
        prices = model.costs.price(model.costs.link_shown(model.observation.to_state(observations)))
        parts_s = prices.parts_s(1)
        taken = self.per_edge_s * parts_s.edge + self.per_user_j * prices.user_power_w * parts_s.user
        values = model.expected_rewards(observations) - taken
        values[~np.atleast_2d(self.env.action_masks())] = -np.inf
        return values.argmax(axis=1)


def best_prices(search: RuleSearch) -> dict[str, float]:
    """The best price on what the scenario makes scarce, as `Priced` takes it; empty where nothing is."""
    if "backlog_s" in search.names:
        return {"per_edge_s": search.best(PER_EDGE_S, lambda price: Priced(search.env, per_edge_s=price))}
    if "battery_j" in search.names:
        return {"per_user_j": search.best(PER_USER_J, lambda price: Priced(search.env, per_user_j=price))}
    return {}
