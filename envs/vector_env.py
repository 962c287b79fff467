"""The decision process as a native, batched `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from envs.settings import SplitSettings
from envs.split_env import SplitEnv, SplitForm

Bools = NDArray[np.bool_]


class SplitVectorEnv(SplitForm, VectorEnv[NDArray[np.float32], ArrayLike, NDArray[Any]]):
    """N sessions of `SplitEnv` in step, without a loop over them.

    Spaces, rewards and settings are those of `SplitEnv`; with N = 1 the trajectory of a seed is bit for bit the
    same. `info` is a dictionary of arrays [N], all environments being in it.

    All sessions end together. They start anew in the same step (`AutoresetMode.SAME_STEP`): the observations are
    then those of the new sessions, and `info` has besides `final_obs` (float32 [N, 7 + k]), `final_info` (the entries
    of this step) and the masks `_final_obs`, `_final_info`. The other entries of `info` always describe the request
    that was just served, in the last step of a session too; but `action_mask` (int8 [N, P], in scenarios that make
    plans impossible) goes with the observations.

    Args:
        num_envs: N.
        settings, render_mode, keywords: as for `SplitEnv`.

    Raises:
        ValueError: an unknown or impossible setting, or N < 1.
    """

    metadata = {**SplitEnv.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        settings: SplitSettings | None = None,
        *,
        render_mode: str | None = None,
        **keywords: Any,
    ) -> None:
        one = self.prepare(num_envs, settings, render_mode, keywords)
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = one
        self.observation_space, self.action_space = (batch_space(space, num_envs) for space in one)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start N sessions from one generator. There are no options."""
        super().reset(seed=seed)
        return self.start(options, self.np_random)

    def step(self, actions: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float64], Bools, Bools, dict[str, Any]]:
        """Serve one request in every session by the plans `actions`, integers [N]; rewards are [N] or [N, M]."""
        obs, reward, info = self.core.step(actions, self.np_random)
        done = self.core.terminated
        if done:
            everyone = np.ones(self.num_envs, dtype=np.bool_)
            info |= {"final_obs": obs, "_final_obs": everyone, "final_info": dict(info), "_final_info": everyone.copy()}
            obs, started = self.core.reset(self.np_random)
            info |= {key: value for key, value in started.items() if key == "action_mask"}
        terminated, truncated = np.zeros((2, self.num_envs), dtype=np.bool_)
        terminated.fill(done)
        return obs, reward, terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Where the environment stands, random generator included: nested dictionaries of numbers and arrays.

        Raises:
            ResetNeeded: before the first reset.
        """
        return {"random": self.np_random.bit_generator.state, "core": self.core.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` gave: the steps that follow are bit for bit those that followed then.

        Args:
            state: of an environment with the same settings and number of sessions.

        Raises:
            ValueError: the state is of another number of sessions.
        """
        self.core.set_state(state["core"])
        self.np_random.bit_generator.state = state["random"]

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Draw a frame of each environment, see `SplitEnv.render`."""
        return None if self.painter is None else self.painter.paint(self.core)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible for the next requests, bool [N, P]."""
        return self.possible()
