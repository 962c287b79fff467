"""The decision process on one screen, as a `gymnasium.Env`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from envs.core import SplitCore
from envs.fidelity import quality_source
from envs.model import SplitModel
from envs.quality import Readings
from envs.render import Painter
from envs.settings import SplitSettings


class SplitForm:
    """What the scalar and the batched form of the environment share.

    Attributes:
        model, core: the decision process, and its N sessions.
        painter: draws frames; None without a render mode.
        reward_space: bounds of the reward, float64 [M] (M = 1 for a number), as MO-Gymnasium's wrappers look for them.
        reward_dim: M.
    """

    def prepare(
        self, num_envs: int, settings: SplitSettings | None, render_mode: str | None, keywords: Mapping[str, Any]
    ) -> tuple[Any, Discrete]:
        """Make the parts for N sessions: the spaces of one observation and of one action."""
        self.model = model = SplitModel(SplitSettings.from_keywords(keywords, settings))
        self.core = SplitCore(model, num_envs, quality_source(model))
        self.painter = Painter.for_mode(render_mode, model)
        self.render_mode = render_mode
        low, high = np.atleast_1d(model.reward.low), np.atleast_1d(model.reward.high)
        self.reward_space = Box(low, high, dtype=np.float64)
        self.reward_dim = len(low)
        return Box(0.0, 1.0, (len(model.observation.names),), np.float32), Discrete(len(model.plans))

    def start(
        self, options: dict[str, Any] | None, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start N sessions: (observations [N, 7 + k], info).

        Raises:
            ValueError: options; there are none.
        """
        if options:
            raise ValueError(f"reset takes no options, got {', '.join(options)}")
        self.core.last = None
        return self.core.reset(rng)

    def realised_rewards(self) -> NDArray[np.float64]:
        """Reward that each action would get for the next requests and their channel draws, float64 [N, P]."""
        return self.model.realised_rewards(self.core.state)

    def expected_rewards(self) -> NDArray[np.float64]:
        """Mean reward of each action given the true state of the next requests, float64 [N, P]."""
        return self.model.expected_rewards_in(self.core.state)

    def possible(self) -> NDArray[np.bool_]:
        """Which actions are possible for the next requests, bool [N, P]."""
        return self.model.possible(self.core.state)


class SplitEnv(SplitForm, gym.Env[NDArray[np.float32], np.int64]):
    """Decides where the denoising steps of a diffusion image generator run: at the edge, or at the user.

    An agent serves a session of requests for images. For each it sees the link, the devices and the user's
    patience, and chooses a plan; with the default plans, how many of the T steps the edge takes before the
    latent crosses the noisy link. An image that is not good enough is sent, finished and decoded again.

    | observation, float32 in [0, 1] | meaning (bounds and scaling: `envs.observation`) |
    |---|---|
    | 0, 1 `edge_density`, `user_density` | cycles per bit of one denoising step at either end |
    | 2 `snr_db` | signal-to-noise ratio of the link |
    | 3, 4 `edge_capability_hz`, `user_capability_hz` | clock x availability of either device |
    | 5 `bandwidth_hz` | bandwidth of the link |
    | 6 `latency_low_s` | latency up to which the user is fully satisfied |
    | 7 .. | what the scenario shows besides: `backlog_s` of `queue`, `battery_j` of `battery`, `cached` of `cache` |

    The entries are instantaneous, or means over the last `observation_window` requests of the session.

    | action | meaning |
    |---|---|
    | 0 .. P - 1 | index into `model.plan_names`; by default the split itself, 0..T |

    | reward | when |
    |---|---|
    | 1 | an acceptable image within `latency_low_s` |
    | (high - latency) / (high - low) | between `latency_low_s` and `latency_high_s` |
    | 0 | later than `latency_high_s`; or failed: no acceptable attempt, or beyond `deadline_s` |

    | step | what happens |
    |---|---|
    | 1 | attempts, each with a fresh channel draw, until the image is acceptable; at most `max_attempts` |
    | 2 | latency = once + attempts x repeat: edge and text encoder once, link and user steps each time |
    | 3 | the reward is paid; SNR, bandwidth and availability move on (`envs.scenario`), the next request is drawn |

    That is the reward `satisfaction`. `reward="qoe"` weighs image quality, latency and energy (EUCI, eqs. 8 to 10),
    `reward="vector"` gives the objectives side by side, float64 [4], for multi-objective agents; `reward_space` has
    the bounds. See `envs.rewards`.

    | episode | |
    |---|---|
    | start | a new state from the stationary distribution of the scenario |
    | end | `terminated` after `episode_length` requests; never `truncated` |

    One seed gives the same requests whatever the actions. There are no reset options.

    | `info` of a step | meaning |
    |---|---|
    | `latency_s` | seconds of all attempts |
    | `latency_parts_s` | their sum by `edge`, `link`, `user`; `cloud` where a plan uses it, in `queue` `waiting` |
    | `energy_j` | joules of all devices |
    | `payload_bits` | bits sent, all attempts together |
    | `quality` | metric -> value of the last attempt: `alignment`, `psnr_db`, `ssim`, `mse` |
    | `attempts`, `accepted` | attempts made; whether the last of them was acceptable |
    | `failed` | not accepted, or later than `deadline_s` |
    | `rewards` | the named terms that the reward is the sum of (the entries of a vector) |
    | `state` | the request just served, in physical units: `snr_db`, ..., and what the scenario shows besides |

    That of a reset holds only the `state` of the first request.

    Where the scenario makes plans impossible, `info["action_mask"]` (int8 [P], of the request to come, in `reset` too)
    and `action_masks()` say which are possible. An impossible one is a failure without an attempt: nothing is spent or
    generated, the quality is NaN, and the reward is that of the worst failure (`envs.model.SplitModel.settle`): 0 of
    `satisfaction`, minus the weights of latency and energy of `qoe`. A mask may be all zero: then every action fails.

    Source: SemAIGC, IV-B and eqs. 19, 20, 24. Deviations: eq. 24 is printed upside down; the actions cover all
    splits 0..T, where the paper's network has 10 outputs; attempts are modelled (the paper only says "an image of
    appropriate quality").

    Version history: v0, the first.

    Args:
        settings: what the environment is made with; None: the defaults.
        render_mode: `rgb_array` or None. `RecordVideo` around it needs the extra `video`.
        keywords: what differs from the settings: `scenario`, `plans`, `reward`, `fidelity`, `receiver`, `profile`, ...:
            see `envs.settings.SplitSettings`.

    Raises:
        ValueError: an unknown or impossible setting.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012  (gymnasium's name and kind)

    def __init__(
        self, settings: SplitSettings | None = None, *, render_mode: str | None = None, **keywords: Any
    ) -> None:
        self.observation_space, self.action_space = self.prepare(1, settings, render_mode, keywords)
        self._spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]
        """How `gymnasium.make` made it: `max_episode_steps` is the length of a session, which ends by itself."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else replace(spec, max_episode_steps=self.model.settings.episode_length)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start a session. There are no options."""
        super().reset(seed=seed)
        obs, info = self.start(options, self.np_random)
        return obs[0], as_scalars(info)

    def step(self, action: Any) -> tuple[NDArray[np.float32], Any, bool, bool, dict[str, Any]]:
        """Serve the request that was observed last by plan `action`; the reward is a float, or float64 [M]."""
        obs, rewards, info = self.core.step(np.asarray(action)[None], self.np_random)
        reward = rewards[0] if self.model.reward.is_vector else rewards.item()
        return obs[0], reward, self.core.terminated, False, as_scalars(info)

    def render(self) -> NDArray[np.uint8] | None:  # type: ignore[override]
        """Draw the delivered image beside the decision and the link, uint8 [360, 640, 3]."""
        return None if self.painter is None else self.painter.paint(self.core)[0]

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible for the next request, bool [P]; as sb3-contrib's MaskablePPO asks."""
        return self.possible()[0]


def as_scalars(info: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays [1] as Python numbers and [1, P] as [P], in dictionaries of any depth."""
    if isinstance(info, Readings):
        return info.each(np.ndarray.item)
    return {
        key: (value.item() if value.ndim == 1 else value[0]) if isinstance(value, np.ndarray) else as_scalars(value)
        for key, value in info.items()
    }
