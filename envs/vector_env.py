"""The decision process as a native, batched `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from envs.core import SplitCore
from envs.fidelity import quality_source
from envs.model import SplitModel
from envs.render import Painter
from envs.settings import SplitSettings
from envs.split_env import SplitEnv, refuse_options, reward_space

Bools = NDArray[np.bool_]


class SplitVectorEnv(VectorEnv[NDArray[np.float32], ArrayLike, NDArray[Any]]):
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
        self.model = SplitModel(SplitSettings.from_keywords(keywords, settings))
        self.core = SplitCore(self.model, num_envs, quality_source(self.model))
        self.painter = Painter.for_mode(render_mode, self.model)
        self.render_mode = render_mode
        self.num_envs = num_envs
        self.single_observation_space = Box(0.0, 1.0, (len(self.model.observation.names),), np.float32)
        self.single_action_space = Discrete(len(self.model.plans))
        self.reward_space = reward_space(self.model)
        self.reward_dim = self.reward_space.shape[0]
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start N sessions from one generator. There are no options."""
        super().reset(seed=seed)
        refuse_options(options)
        self.core.last = None
        return self.core.reset(self.np_random)

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

    def realised_rewards(self) -> NDArray[np.float64]:
        """Reward that each action would get for the next requests and their channel draws, float64 [N, P]."""
        return self.core.realised_rewards()

    def expected_rewards(self) -> NDArray[np.float64]:
        """Mean reward of each action given the true state of the next requests, float64 [N, P]."""
        return self.core.expected_rewards()

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible for the next requests, bool [N, P]."""
        return self.core.action_masks()
