"""The batched core of the environment: N sessions side by side, in numpy, without a loop over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import ArrayLike, NDArray

from envs.model import Info, SplitModel
from envs.observation import ObservationWindow
from envs.quality import QualitySource, Served
from envs.scenario import RequestState


class LastStep(NamedTuple):
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
        last: the last step; None before the first.
        quality: as given.

    Raises:
        ValueError: N < 1.
    """

    def __init__(self, model: SplitModel, num_envs: int, quality: QualitySource | None = None) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be >= 1, got {num_envs}")
        self.model = model
        self.num_envs = num_envs
        self.last: LastStep | None = None
        self.quality: QualitySource = model.quality if quality is None else quality
        self._scenario = model.new_scenario()
        self._window = ObservationWindow(model.settings.observation_window)
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
        info: Info = {"state": {name: values.copy() for name, values in self.state.info.items()}}
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
            (observations of the next requests float32 [N, 7 + k], rewards float64 [N] (or [N, M] of M objectives),
            info as arrays [N]).

        Raises:
            ValueError: actions of another shape or type, or out of range.
            ResetNeeded: before the first reset.
        """
        state, plan = self.state, self._checked(action)
        reward, info, spent, served = self.model.serve(plan, state, self.quality)
        self.last = LastStep(plan, state, served, info)
        self._served += 1
        self._scenario.advance(rng, spent)
        obs = self._window.append(self.model.observe(self._scenario.state))
        self._add_mask(info)
        return obs, reward, info

    def get_state(self) -> dict[str, Any]:
        """How far the sessions are, the scenario's state and the window's: numbers and arrays only.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._served < 0:
            raise ResetNeeded("call reset before this")
        return {
            "num_envs": self.num_envs,
            "served": self._served,
            "scenario": self._scenario.get_state(),
            "window": self._window.get_state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` gave.

        Raises:
            ValueError: the state is of another number of sessions.
        """
        if state["num_envs"] != self.num_envs:
            raise ValueError(f"the state is of {state['num_envs']} sessions, the environment has {self.num_envs}")
        self._scenario.set_state(state["scenario"])
        self._window.set_state(state["window"])
        self._served = state["served"]
        self.last = None

    def _add_mask(self, info: Info) -> None:
        if self.model.scenario.LIMITS_PLANS:
            info["action_mask"] = self.model.possible(self.state).astype(np.int8)

    def _checked(self, action: ArrayLike) -> NDArray[np.integer]:
        plan = np.asarray(action)
        if plan.shape != (self.num_envs,) or plan.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be integers of shape [{self.num_envs}], got {plan.dtype} of shape {list(plan.shape)}"
            )
        last = len(self.model.plans) - 1
        unsigned = plan.astype(np.int64, copy=False).view(np.uint64)  # below zero is then far above
        if np.maximum.reduce(unsigned) > last:
            raise ValueError(f"actions must lie in 0..{last}, got {plan.min()}..{plan.max()}")
        return plan
