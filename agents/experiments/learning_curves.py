"""How the expected reward of a learning agent's greedy policy rises, kept in the experiment's folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.experiments.states import States
from agents.factory import make_agent
from agents.runs.callbacks import EveryRequests
from envs import SplitVectorEnv
from envs.files import whole_file


@dataclass(frozen=True)
class Lesson:
    """What one agent learns from.

    Attributes:
        keywords: constructor keywords of the environment.
        agent: its name and hyperparameters.
        episodes: to learn from.
        num_envs: sessions side by side.
        every_episodes: between two points of the curve.
    """

    keywords: Mapping[str, Any]
    agent: Mapping[str, Any]
    episodes: int
    num_envs: int
    every_episodes: int


def learning_curve(
    lesson: Lesson, states: States, seed: int, folder: Path
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Episodes [E] and expected rewards [E] in the given states, from the folder if it was learnt before."""
    path = folder / "curves" / f"{lesson.keywords['receiver']}_{seed}_{_digest(lesson, states, seed)}.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return np.array(kept["episodes"]), np.array(kept["rewards"])
    torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
    agent = make_agent(env=SplitVectorEnv(lesson.num_envs, **lesson.keywords), seed=seed, **lesson.agent)
    requests = lesson.keywords["episode_length"]
    episodes, rewards = [0], [_greedy_reward(agent, states)]

    def look() -> None:
        episodes.append(agent.num_timesteps // requests)
        rewards.append(_greedy_reward(agent, states))

    every = EveryRequests(lesson.every_episodes * requests, look)
    agent.learn(lesson.episodes * requests, callback=every, log_interval=None)  # type: ignore[arg-type]
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(json.dumps({"episodes": episodes, "rewards": rewards}), encoding="utf-8")
    return np.array(episodes), np.array(rewards)


def _greedy_reward(agent: Any, states: States) -> float:
    return float(states.rewards_of(states.actions("root", agent)).mean())


def _digest(lesson: Lesson, states: States, seed: int) -> str:
    """Name of everything that the curve depends on; the states stand for the environment."""
    told = {"episodes": lesson.episodes, "num_envs": lesson.num_envs, "every": lesson.every_episodes, "seed": seed}
    digest = hashlib.sha256(json.dumps(told | {"agent": dict(lesson.agent)}, sort_keys=True).encode())
    digest.update(states.observations.tobytes())
    digest.update(states.rewards.tobytes())
    return digest.hexdigest()[:12]
