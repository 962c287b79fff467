"""The decision process as a native, batched `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from envs.checks import choice
from envs.settings import SplitSettings
from envs.split_env import SplitEnv, SplitForm

Bools = NDArray[np.bool_]
AUTORESET_MODES = (AutoresetMode.SAME_STEP.value, AutoresetMode.NEXT_STEP.value)


class SplitVectorEnv(SplitForm, VectorEnv[NDArray[np.float32], ArrayLike, NDArray[Any]]):
    """N sessions of `SplitEnv` in step, without a loop over them.

    Spaces, rewards and settings are those of `SplitEnv`; with N = 1 the trajectory of a seed is bit for bit the
    same. `info` is a dictionary of arrays [N], all environments being in it.

    All sessions end together. They start anew in the same step (`AutoresetMode.SAME_STEP`, which training takes): the
    observations are then those of the new sessions, and `info` has besides `final_obs` (float32 [N, 7 + k]),
    `final_info` (the entries of this step) and the masks `_final_obs`, `_final_info`. The other entries of `info`
    always describe the request that was just served, in the last step of a session too; but `action_mask` (int8 [N, P],
    in scenarios that make plans impossible) goes with the observations.

    With `AutoresetMode.NEXT_STEP`, which Gymnasium's vector wrappers of observations ask for, the last step gives the
    last observations, and the step behind it takes no actions: it starts the new sessions, with reward 0 and the `info`
    of a reset. The requests are the same ones.

    Args:
        num_envs: N.
        settings, render_mode, keywords: as for `SplitEnv`.
        autoreset_mode: one of these two, or its value, `SameStep` or `NextStep`.
        max_episode_steps: what `gymnasium.make_vec` hands over from a specification; None or `episode_length`.

    Raises:
        ValueError: an unknown or impossible setting, N < 1, or sessions of two lengths.
    """

    metadata = {**SplitEnv.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int = 1,
        settings: SplitSettings | None = None,
        *,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        max_episode_steps: int | None = None,
        **keywords: Any,
    ) -> None:
        mode = AutoresetMode(
            choice("autoreset_mode", getattr(autoreset_mode, "value", autoreset_mode), AUTORESET_MODES)
        )
        self.metadata = {**self.metadata, "autoreset_mode": mode}
        one = self.prepare(num_envs, settings, render_mode, keywords)
        if max_episode_steps not in (None, length := self.model.settings.episode_length):
            raise ValueError(f"max_episode_steps must be None or episode_length, {length}, got {max_episode_steps!r}")
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = one
        self.observation_space, self.action_space = (batch_space(space, num_envs) for space in one)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start N sessions from one generator. There are no options.

        Raises:
            ValueError: options, or a seed for each session.
        """
        if np.ndim(seed):  # type: ignore[arg-type]
            raise ValueError(
                f"seed must be one integer, from which all {self.num_envs} sessions are drawn, got {seed!r}; "
                "vectorization_mode='sync' takes one for each"
            )
        super().reset(seed=seed)
        return self.start(options, self.np_random)

    def step(self, actions: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float64], Bools, Bools, dict[str, Any]]:
        """Serve one request in every session by the plans `actions`, integers [N]; rewards are [N] or [N, M]."""
        is_next = self.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        terminated, truncated = np.zeros((2, self.num_envs), dtype=np.bool_)
        if is_next and self.core.terminated:
            obs, info = self.start(None, self.np_random)
            return obs, np.zeros((self.num_envs, *np.shape(self.model.reward.low))), terminated, truncated, info
        obs, reward, info = self.core.step(actions, self.np_random)
        done = self.core.terminated
        if done and not is_next:
            everyone = np.ones(self.num_envs, dtype=np.bool_)
            info |= {"final_obs": obs, "_final_obs": everyone, "final_info": dict(info), "_final_info": everyone.copy()}
            obs, started = self.core.reset(self.np_random)
            info |= {key: value for key, value in started.items() if key == "action_mask"}
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
