"""The batched core of the environment: N sessions side by side, in numpy, without a loop over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from envs.costs import compute_energy_j
from envs.model import SplitModel
from envs.quality import QualitySource, Served
from envs.reward import request_reward
from envs.scenario import RequestState

Info = dict[str, Any]

STATE_NAMES = (
    "snr_db",
    "bandwidth_hz",
    "tx_availability",
    "rx_availability",
    "density_factor",
    "latency_low_s",
    "latency_high_s",
    "request",
)
"""Entries of `info["state"]`."""


class Outcome(NamedTuple):
    """What a step decided and delivered, kept for rendering."""

    action: NDArray[np.integer]
    state: RequestState
    served: Served
    info: Info


class SplitCore:
    """N sessions of equal length, in step with each other.

    Args:
        model: the decision process.
        num_envs: N.
        quality: what serves the requests; None is the model's profile.

    Attributes:
        outcome: of the last step; None before the first.

    Raises:
        ValueError: N < 1.
    """

    def __init__(self, model: SplitModel, num_envs: int, quality: QualitySource | None = None) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be >= 1, got {num_envs}")
        self.model = model
        self.num_envs = num_envs
        self.outcome: Outcome | None = None
        self._quality: QualitySource = model.quality if quality is None else quality
        self._scenario = model.new_scenario()
        self._served = -1

    @property
    def state(self) -> RequestState:
        """The requests that the next step serves.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._served < 0:
            raise ResetNeeded("call reset before this")
        return self._scenario.state

    @property
    def terminated(self) -> bool:
        """Whether the sessions are over; all end together."""
        return self._served >= self.model.settings.episode_length

    def reset(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], Info]:
        """Start N sessions: (observations float32 [N, 7], info with the state of the first requests)."""
        self._scenario.reset(self.num_envs, rng)
        self._served = 0
        return self.model.observe(self.state), {"state": {k: v.copy() for k, v in _state_info(self.state).items()}}

    def step(
        self, action: ArrayLike, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], Info]:
        """Serve one request in each session and draw the next ones.

        Args:
            action: integers [N] below the number of plans.
            rng: source of all randomness; what is drawn from it does not depend on the action.

        Returns:
            (observations of the next requests float32 [N, 7], rewards float64 [N], info as arrays [N]).

        Raises:
            ValueError: actions of another shape or type, or out of range.
            ResetNeeded: before the first reset.
        """
        state, plan = self.state, self._checked(action)
        served = self._quality.serve(plan, state)
        prices = self.model.costs.price(state.link, plan)
        parts_s = prices.parts_s(served.attempts)
        latency_s = parts_s.total
        reward, failed = request_reward(
            latency_s, served.accepted, state.latency_low_s, state.latency_high_s, self.model.settings.deadline_s
        )
        info: Info = {
            "latency_s": latency_s,
            "latency_parts_s": {
                "transmitter": parts_s.transmitter,
                "link": parts_s.link,
                "receiver": parts_s.receiver,
            },
            "energy_j": compute_energy_j(parts_s.transmitter, prices.tx_power_w)
            + compute_energy_j(parts_s.receiver, prices.rx_power_w),
            "payload_bits": served.attempts * self.model.payload_bits.take(plan),
            "quality": dict(served.quality),
            "attempts": served.attempts,
            "accepted": served.accepted,
            "failed": failed,
            "rewards": {"satisfaction": reward.copy()},
            "state": _state_info(state),
        }
        self.outcome = Outcome(plan, state, served, info)
        self._served += 1
        self._scenario.advance(rng)
        return self.model.observe(self._scenario.state), reward, info

    def get_state(self) -> dict[str, Any]:
        """How far the sessions are, and the scenario's state: numbers and arrays only.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._served < 0:
            raise ResetNeeded("call reset before this")
        return {"num_envs": self.num_envs, "served": self._served, "scenario": self._scenario.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` gave.

        Raises:
            ValueError: the state is of another number of sessions.
        """
        if state["num_envs"] != self.num_envs:
            raise ValueError(f"the state is of {state['num_envs']} sessions, the environment has {self.num_envs}")
        self._scenario.set_state(state["scenario"])
        self._served = state["served"]
        self.outcome = None

    def realised_rewards(self) -> NDArray[np.float64]:
        """Reward that each action would get for the requests of the next step, float64 [N, P]."""
        return self.model.realised_rewards(self.state)

    def _checked(self, action: ArrayLike) -> NDArray[np.integer]:
        plan = np.asarray(action)
        if plan.shape != (self.num_envs,) or plan.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be integers of shape [{self.num_envs}], got {plan.dtype} of shape {list(plan.shape)}"
            )
        last = len(self.model.plans) - 1
        if plan.min() < 0 or plan.max() > last:
            raise ValueError(f"actions must lie in 0..{last}, got {plan.min()}..{plan.max()}")
        return plan


def _state_info(state: RequestState) -> dict[str, NDArray[Any]]:
    return {name: getattr(state, name) for name in STATE_NAMES}
