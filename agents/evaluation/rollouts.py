"""Rollouts of any policy, as arrays with one row a request."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from agents.policies import Predictor
from agents.policies.acting import Adapted, check_spaces


def evaluate(
    policy: Predictor, env: gym.vector.VectorEnv[Any, Any, Any], num_requests: int, seed: int
) -> dict[str, NDArray[Any]]:
    """Serve requests with a policy acting greedily.

    Nothing that is drawn depends on actions, so the same seed and number of environments give the same requests, links
    and channel draws to every policy, row by row (a queue or a battery is what the policy left of it): compare policies
    with `paired_difference`.

    Args:
        policy: anything with stable-baselines3's `predict`. Action masks, recurrent state and episode starts are passed
            to a `predict` that names them; an agent that was trained under `VecNormalize` sees what that makes of the
            observations.
        env: this project's vector environment; it is reset with `seed`.
        num_requests: N, requests to serve.
        seed: of the environment.

    Returns:
        Arrays [N]: `reward`, `action`, `episode` (label of the session, for the bootstrap), and each entry of `info`;
        nested ones by the name of the inner key, e.g. `snr_db` of `state`, `alignment` of `quality`; those of
        `latency_parts_s` as `latency_edge_s`. Rows go through all environments at each step.

    Raises:
        ValueError: fewer than one request; sessions that start anew in the next step only; a policy of other spaces
            than the environment's, whose `predict` is missing, needs something else or does not give actions and
            state; or one that was trained on normalised observations and has lost their statistics.
    """
    if num_requests < 1:
        raise ValueError(f"num_requests must be >= 1, got {num_requests}")
    if env.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
        raise ValueError(f"autoreset_mode must be SameStep, got {env.metadata.get('autoreset_mode')}")
    check_spaces(policy, env, type(policy).__name__)
    acting, state, starts = Adapted(policy, env), None, np.ones(env.num_envs, dtype=np.bool_)
    observations, _ = env.reset(seed=seed)
    episodes = np.arange(env.num_envs)
    steps: list[dict[str, NDArray[Any]]] = []
    for _ in range(-(-num_requests // env.num_envs)):
        actions, state = acting.predict(observations, state, starts, deterministic=True)
        observations, rewards, terminated, truncated, info = env.step(actions)
        row = {"reward": rewards, "action": actions, "episode": episodes} | _columns(info)
        steps.append({name: np.array(values) for name, values in row.items()})
        starts = terminated | truncated
        episodes = np.where(starts, episodes + env.num_envs, episodes)
    return {name: np.concatenate([row[name] for row in steps])[:num_requests] for name in steps[0]}


def _columns(info: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Nested infos as flat columns."""
    columns: dict[str, NDArray[Any]] = {}
    for key, value in info.items():
        if key.startswith("_") or key in ("final_obs", "final_info", "action_mask"):
            continue
        if key == "latency_parts_s":
            columns |= {f"latency_{part}_s": seconds for part, seconds in value.items()}
        elif isinstance(value, dict):
            columns |= _columns(value)
        else:
            columns[key] = value
    return columns
