"""Trained agents as policies, and their files."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import ArrayLike, NDArray
from sb3_contrib import TRPO, RecurrentPPO
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.factory import ALGORITHMS, plan_names_of
from agents.policies.acting import Adapted, check_spaces, normalisation_of, taken_by
from agents.policies.base import Actions, Observations, Policy, as_batch, check_plan_names
from envs.files import whole_file

LOADABLE: dict[str, type[BaseAlgorithm]] = {**ALGORITHMS, "recurrent_ppo": RecurrentPPO, "trpo": TRPO}
"""Algorithms whose saved agents are policies: those that `make_agent` makes, and two more of sb3-contrib."""
_MARKS = {
    "d3qn": "double",
    "d2sac": "actor_lr_scale",
    "linucb": "ridge",
    "qrdqn": "n_quantiles",
    "dqn": "exploration_fraction",
    "trpo": "cg_max_steps",
    "ppo": "clip_range",
    "a2c": "gae_lambda",
}
"""An attribute that an algorithm has and those after it have not."""
_NORMALISATION = "observation_normalisation.npz"
"""Where a policy's zip keeps the statistics, plain arrays; stable-baselines3 passes over it."""


@dataclass(frozen=True)
class Normalisation:
    """What stable-baselines3's `VecNormalize` does to observations: `clip((x - mean) / sqrt(var + epsilon))`.

    Attributes:
        mean, var: float64 [O], of the observations in training.
        epsilon: added to the variance.
        clip_obs: the largest absolute value of what comes out.
    """

    mean: NDArray[np.float64]
    var: NDArray[np.float64]
    epsilon: float
    clip_obs: float

    def __call__(self, observations: Observations) -> NDArray[np.float32]:
        """Normalised observations, float32 [N, O]."""
        scaled = (observations - self.mean) / np.sqrt(self.var + self.epsilon)
        return np.clip(scaled, -self.clip_obs, self.clip_obs).astype(np.float32)

    @classmethod
    def from_zip(cls, path: str | os.PathLike[str]) -> Self | None:
        """That of a policy's file; None where it has none. Nothing is unpickled."""
        with zipfile.ZipFile(path) as archive:
            if _NORMALISATION not in archive.namelist():
                return None
            with np.load(io.BytesIO(archive.read(_NORMALISATION)), allow_pickle=False) as arrays:
                return cls(arrays["mean"], arrays["var"], float(arrays["epsilon"]), float(arrays["clip_obs"]))


class TrainedPolicy(Policy):
    """The greedy policy of a trained agent: no exploration, the most likely action of a stochastic one.

    An agent with memory (RecurrentPPO) gets the state that `predict` is given and returns the next one.

    Args:
        agent: the trained agent.
        env: the unwrapped environment, whose action masks are passed to an agent that takes them, if it has any and is
            asked about its present observations, one an environment.
        normalise: what its training did to observations; None: what the agent's own `VecNormalize` does, if it has one.

    Raises:
        ValueError: the agent was trained on normalised observations, and how is not known.
    """

    def __init__(self, agent: BaseAlgorithm, env: Any = None, normalise: Callable[[Any], Any] | None = None) -> None:
        self.agent, self._adapted = agent, Adapted(agent, env, normalise)

    @property
    def is_normalised(self) -> bool:
        """Whether the agent's networks see observations otherwise than the environment shows them."""
        return self._adapted.normalise is not None

    @classmethod
    def load(cls, path: str | os.PathLike[str], env: Any = None) -> TrainedPolicy:
        """Load an agent saved by `save_policy` or its own `save`, on the CPU. It unpickles: load only what you trust.

        Raises:
            ValueError: no such file, not one of an algorithm of `LOADABLE`, or one whose observations were normalised
                by statistics that are lost.
        """
        name = _algorithm_of(path)
        try:
            agent, normalise = LOADABLE[name].load(Path(path), device="cpu"), Normalisation.from_zip(path)
        except Exception as error:  # what a damaged or foreign pickle raises can be anything
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise ValueError(f"{os.fspath(path)} cannot be loaded as a trained {name}: {reason}") from error
        if "action_masks" in set(taken_by(agent.policy)) - set(taken_by(agent)):
            raise ValueError(f"{os.fspath(path)} cannot be loaded: its policy takes action masks, {name} has none")
        return cls(agent, env, normalise or normalisation_of(agent, os.fspath(path)))

    def actions(self, observations: Observations) -> Actions:
        """Greedy actions, int64 [N], of the first observations of sessions."""
        return self.predict(observations)[0]

    def predict(
        self,
        observation: ArrayLike,
        state: tuple[NDArray[Any], ...] | None = None,
        episode_start: NDArray[Any] | None = None,
        deterministic: bool = False,
    ) -> tuple[Actions, tuple[NDArray[Any], ...] | None]:
        """Greedy actions of one observation [7] or of a batch [N, 7], and the next recurrent state.

        Raises:
            ValueError: an observation of another rank.
        """
        observations, shape = as_batch(observation)
        actions, state = self._adapted.predict(observations, state, episode_start, deterministic=True)
        return np.asarray(actions, dtype=np.int64).reshape(shape), state

    def check(self, env: Any, name: str) -> None:
        """Check that the agent fits an environment's spaces, and its plans where the agent knows them.

        Raises:
            ValueError: it does not; the message names both sides.
        """
        check_spaces(self.agent, env, name)
        check_plan_names(name, getattr(self.agent, "plan_names", None), env.model.plan_names)


def save_policy(agent: BaseAlgorithm, folder: str | os.PathLike[str]) -> Path:
    """Write an agent of stable-baselines3 with all that its decisions need, as `load_policy` and `evaluate.py` take it.

    That is its own zip, which its `load` reads too; in it besides the names of the plans that it was trained with, and
    the statistics of its `VecNormalize`, which its own `save` leaves out.

    Args:
        agent: the agent, with the environment that it was trained in.
        folder: where `policy.zip` is written; made where it is missing.

    Returns:
        The file.

    Raises:
        ValueError: an algorithm that `load_policy` cannot load, observations that are not one array, or that were
            normalised by statistics that are lost.
    """
    if not isinstance(agent, tuple(LOADABLE.values())):
        raise ValueError(f"{type(agent).__name__} cannot be saved as a policy; allowed: {', '.join(LOADABLE)}")
    if not isinstance(agent.observation_space, Box):
        raise ValueError(f"a policy's observations must be one array, the agent has {agent.observation_space}")
    is_normalised = normalisation_of(agent, type(agent).__name__) is not None
    if agent.get_env() is not None and not hasattr(agent, "plan_names"):
        agent.plan_names = plan_names_of(agent.get_env())  # type: ignore[attr-defined]
    path = Path(folder) / "policy.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        agent.save(partial)
        if is_normalised:
            env: Any = agent.get_vec_normalize_env()
            buffer = io.BytesIO()
            np.savez(buffer, mean=env.obs_rms.mean, var=env.obs_rms.var, epsilon=env.epsilon, clip_obs=env.clip_obs)
            with zipfile.ZipFile(partial, "a") as archive:
                archive.writestr(_NORMALISATION, buffer.getvalue())
    return path


def saved_attributes(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The attributes in the zip of an agent, read as JSON: nothing is unpickled.

    Raises:
        ValueError: no such file, or not one of a trained agent.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("data") as file:
            return dict(json.load(file))
    except Exception as error:  # what a damaged archive raises can be anything
        raise ValueError(f"not the zip of a trained agent: {os.fspath(path)} ({error})") from error


def _algorithm_of(path: str | os.PathLike[str]) -> str:
    """Which algorithm saved an agent, by its attributes; the three kinds of PPO by the module of their policy.

    Raises:
        ValueError: not the zip of an agent, or of one that is not in `LOADABLE`.
    """
    attributes = saved_attributes(path)
    policy = attributes.get("policy_class") or {}
    module = str(policy.get("__module__", "unknown")) if isinstance(policy, dict) else "unknown"
    name = next((name for name, mark in _MARKS.items() if mark in attributes), None)
    if name is None:
        raise ValueError(
            f"{os.fspath(path)} holds an agent that is not supported (its policy is of {module}); "
            f"allowed: {', '.join(LOADABLE)}"
        )
    kinds = {"maskable": "maskable_ppo", "recurrent": "recurrent_ppo"}
    return next((kind for word, kind in kinds.items() if name == "ppo" and word in module), name)
