"""What policies of all kinds are given: their `predict` gets what it takes; what is not there is refused by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

OFFERED = ("state", "episode_start", "deterministic", "action_masks")
"""What `predict` may take beside the observations: stable-baselines3's parameters, and sb3-contrib's masks."""
TOLERANCE = 1e-3
"""Observations that leave their space by less did so by rounding."""


class Adapted:
    """A policy behind stable-baselines3's `predict`, whatever its own takes of `OFFERED`.

    Args:
        policy: anything with a `predict` that takes observations. Of `OFFERED` it is given what it names, and the first
            three where it takes any keyword.
        env: the environment whose action masks are passed, single or vectorised; None: there are none.
        normalise: what is done to observations before; None: what `normalisation_of` finds.

    Raises:
        ValueError: `predict` is missing or needs something else, or `normalisation_of` refuses.
    """

    def __init__(self, policy: Any, env: Any = None, normalise: Callable[[Any], Any] | None = None) -> None:
        self.policy = policy
        self._takes, self._env = taken_by(policy), None if env is None else env.unwrapped
        self.normalise = normalise or normalisation_of(policy, type(policy).__name__)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """The policy's actions and its next recurrent state.

        Args:
            observation: [N, O]; one an environment where masks are to be passed.
            state: what the call before gave; None in the first one.
            episode_start: bool [N], true where the observation is the first of its session.
            deterministic: whether to act greedily.

        Raises:
            ValueError: `predict` gives something else.
        """
        offered = {"state": state, "episode_start": episode_start, "deterministic": deterministic}
        if "action_masks" in self._takes:
            offered["action_masks"] = masks_of(self._env, 1 if np.ndim(observation) == 1 else len(observation))
        normalised = observation if self.normalise is None else self.normalise(observation)
        given = self.policy.predict(normalised, **{name: offered[name] for name in self._takes})
        name = type(self.policy).__name__
        if not isinstance(given, tuple) or len(given) != 2:
            raise ValueError(f"{name}.predict must give (actions, state), got {type(given).__name__}")
        actions = np.asarray(given[0])
        if actions.dtype.kind not in "iu":
            raise ValueError(f"{name}.predict must give integers as actions, got {actions.dtype}")
        return actions, given[1]


def taken_by(policy: Any) -> tuple[str, ...]:
    """Which of `OFFERED` a policy's `predict` takes.

    Raises:
        ValueError: there is no `predict`, it takes no observations, or it needs a parameter that is not offered.
    """
    name = type(policy).__name__
    if not callable(getattr(policy, "predict", None)):
        raise ValueError(f"{name} has no predict(observation, ...)")
    kind = inspect.Parameter
    parameters = list(inspect.signature(policy.predict).parameters.values())
    if not parameters or parameters[0].kind in (kind.KEYWORD_ONLY, kind.VAR_KEYWORD):
        raise ValueError(f"{name}.predict takes no observation; its first parameter must be that")
    others = [each for each in parameters[1:] if each.kind not in (kind.VAR_POSITIONAL, kind.VAR_KEYWORD)]
    named = [each.name for each in others if each.kind is not kind.POSITIONAL_ONLY]
    needed = [each.name for each in others if each.default is each.empty]
    if unknown := [each for each in needed if each not in OFFERED or each not in named]:
        raise ValueError(
            f"{name}.predict needs {', '.join(unknown)}; it is given the observations and, by name, "
            f"{', '.join(OFFERED)}"
        )
    any_keyword = parameters[-1].kind is kind.VAR_KEYWORD
    return tuple(each for each in OFFERED if each in named or (any_keyword and each != "action_masks"))


def check_spaces(policy: Any, env: Any, name: str) -> None:
    """Check that a policy which knows the spaces that it was trained in fits an environment's.

    Raises:
        ValueError: it does not; the message names both sides.
    """
    for kind in ("action_space", "observation_space"):
        own, given = getattr(policy, kind, None), getattr(env, f"single_{kind}", getattr(env, kind, None))
        if own is not None and own != given:
            raise ValueError(f"policy {name!r} was trained with {kind} {own}, the environment has {given}")


def masks_of(env: Any, num_observations: int) -> NDArray[np.bool_] | None:
    """Which actions are possible for an environment's present requests, bool [N, P].

    Args:
        env: the unwrapped environment.
        num_observations: that are asked about; None where they are not the environment's, one an environment, or where
            it has no masks.
    """
    if not hasattr(env, "action_masks") or getattr(env, "num_envs", 1) != num_observations:
        return None
    return np.atleast_2d(env.action_masks())


def normalisation_of(agent: Any, name: str) -> Callable[[Any], Any] | None:
    """How an agent's training normalised observations (stable-baselines3's `VecNormalize`); None where it did not.

    Raises:
        ValueError: the agent's last observation lies outside its own space, so that something did, and no statistics
            are there: a saved agent of stable-baselines3 does not hold them.
    """
    normaliser = getattr(agent, "get_vec_normalize_env", lambda: None)()
    if normaliser is not None:
        return normaliser.normalize_obs if normaliser.norm_obs else None
    last, space = getattr(agent, "_last_obs", None), getattr(agent, "observation_space", None)
    if not isinstance(last, np.ndarray) or not isinstance(space, Box):
        return None
    if ((last < space.low - TOLERANCE) | (last > space.high + TOLERANCE)).any():
        raise ValueError(
            f"policy {name!r} was trained on observations outside {space}, as VecNormalize makes them, and the "
            "statistics are not with it: agents.save_policy(model, folder) keeps them, where it was trained"
        )
    return None
