"""The batched core of the environment: N sessions side by side, in numpy, without a loop over them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from envs.costs import Parts, compute_energy_j
from envs.model import SplitModel
from envs.quality import QualitySource, Served
from envs.reward import request_reward
from envs.scenario import RequestState, Spent

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
"""Entries of `info["state"]`; those that the scenario shows besides come behind them."""


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
        self._window = model.new_window()
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
        """Start N sessions: (observations float32 [N, 7 + k], info with the state of the first requests)."""
        self._scenario.reset(self.num_envs, rng)
        self._served = 0
        info: Info = {"state": {k: v.copy() for k, v in _state_info(self.state).items()}}
        self._add_mask(info)
        return self._window.reset(self.model.observe(self.state)), info

    def step(
        self, action: ArrayLike, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], Info]:
        """Serve one request in each session and draw the next ones.

        Args:
            action: integers [N] below the number of plans.
            rng: source of all randomness; what is drawn from it does not depend on the action.

        Returns:
            (observations of the next requests float32 [N, 7 + k], rewards float64 [N], info as arrays [N]).

        Raises:
            ValueError: actions of another shape or type, or out of range.
            ResetNeeded: before the first reset.
        """
        state, plan, scenario = self.state, self._checked(action), self.model.scenario
        served = self._quality.serve(plan, state)
        prices = self.model.costs.price(state.link, plan)
        parts_s = prices.parts_s(served.attempts)
        waiting_s = scenario.waiting_s(state.features, prices)
        possible = scenario.possible(state.features, prices)
        if possible is not None:
            served, parts_s = _of_possible(possible, served, parts_s)
            waiting_s = None if waiting_s is None else waiting_s * possible
        latency_s = parts_s.total
        if waiting_s is not None:
            latency_s += waiting_s
        reward, failed = request_reward(
            latency_s, served.accepted, state.latency_low_s, state.latency_high_s, self.model.settings.deadline_s
        )
        rx_energy_j = np.asarray(compute_energy_j(parts_s.receiver, prices.rx_power_w))
        info: Info = {
            "latency_s": latency_s,
            "latency_parts_s": {
                "transmitter": parts_s.transmitter,
                "link": parts_s.link,
                "receiver": parts_s.receiver,
            },
            "energy_j": compute_energy_j(parts_s.transmitter, prices.tx_power_w) + rx_energy_j,
            "payload_bits": served.attempts * self.model.payload_bits.take(plan),
            "quality": dict(served.quality),
            "attempts": served.attempts,
            "accepted": served.accepted,
            "failed": failed,
            "rewards": {"satisfaction": reward.copy()},
            "state": _state_info(state),
        }
        if waiting_s is not None:
            info["latency_parts_s"]["waiting"] = waiting_s
        self.outcome = Outcome(plan, state, served, info)
        self._served += 1
        self._scenario.advance(rng, Spent(parts_s.transmitter, parts_s.link, parts_s.receiver, rx_energy_j))
        obs = self._window.append(self.model.observe(self._scenario.state))
        self._add_mask(info)
        return obs, reward, info

    def realised_rewards(self) -> NDArray[np.float64]:
        """Reward that each action would get for the requests of the next step, float64 [N, P]."""
        return self.model.realised_rewards(self.state)

    def expected_rewards(self) -> NDArray[np.float64]:
        """Mean reward of each action given the true state of the next requests, float64 [N, P]."""
        return self.model.expected_rewards_in(self.state)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible for the requests of the next step, bool [N, P]."""
        return self.model.possible(self.state)

    def _add_mask(self, info: Info) -> None:
        if self.model.scenario.LIMITS_PLANS:
            info["action_mask"] = self.action_masks().astype(np.int8)

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
    return {name: getattr(state, name) for name in STATE_NAMES} | dict(state.features)


def _of_possible(possible: NDArray[np.bool_], served: Served, parts_s: Parts) -> tuple[Served, Parts]:
    """What was served and spent where the plan was possible, and nothing where it was not."""
    nothing = Served(
        attempts=served.attempts * possible,
        accepted=served.accepted & possible,
        quality={name: np.where(possible, values, np.nan) for name, values in served.quality.items()},
        images=served.images,
    )
    return nothing, Parts(parts_s.transmitter * possible, parts_s.link * possible, parts_s.receiver * possible)
