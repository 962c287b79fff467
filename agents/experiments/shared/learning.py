"""Agents that experiments train: ROOT for a receiver without one, and learning curves, each kept in a file."""

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
from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

from agents.experiments.shared.states import States
from agents.factory import make_agent
from agents.policies import Predictor, load_policy
from agents.policies.loading import policy_file
from agents.reports.provenance import file_fingerprint
from agents.runs.callbacks import EveryRequests
from agents.runs.learn import copy_policy
from agents.runs.settings import check_keys
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
        init_from: policy to start from, see `agents.runs.learn.copy_policy`; None: random networks.
    """

    keywords: Mapping[str, Any]
    agent: Mapping[str, Any]
    episodes: int
    num_envs: int
    every_episodes: int
    init_from: str | None = None


@dataclass(frozen=True)
class Learnt:
    """How one agent learnt.

    Attributes:
        episodes: int64 [E], learnt from.
        rewards: float64 [E], expected reward of the greedy policy in the given states.
        served: mean reward of the requests that it learnt from, exploration included.
    """

    episodes: NDArray[np.int64]
    rewards: NDArray[np.float64]
    served: float


def new_agent(lesson: Lesson, seed: int) -> BaseAlgorithm:
    """The agent before its first request.

    Raises:
        ValueError: hyperparameters that do not exist, or a policy to start from that does not fit.
    """
    agent = make_agent(env=SplitVectorEnv(lesson.num_envs, **lesson.keywords), seed=seed, **lesson.agent)
    if lesson.init_from is not None:
        copy_policy(agent, lesson.init_from)
    return agent


def learning_curve(lesson: Lesson, states: States, seed: int, folder: Path) -> Learnt:
    """Let one agent learn, or read how it did from the folder if it has learnt before."""
    path = folder / "curves" / f"{lesson.keywords['receiver']}_{seed}_{_curve_digest(lesson, states, seed)}.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Learnt(np.array(kept["episodes"]), np.array(kept["rewards"]), kept.get("served", float("nan")))
    torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
    agent = new_agent(lesson, seed)
    requests = lesson.keywords["episode_length"]
    episodes, rewards = [0], [_greedy_reward(agent, states)]

    def look() -> None:
        episodes.append(agent.num_timesteps // requests)
        rewards.append(_greedy_reward(agent, states))

    sums = _RewardSum()
    callbacks: Any = [EveryRequests(lesson.every_episodes * requests, look), sums]
    agent.learn(lesson.episodes * requests, callback=callbacks, log_interval=None)  # type: ignore[arg-type]
    served = sums.total / agent.num_timesteps
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(json.dumps({"episodes": episodes, "rewards": rewards, "served": served}), encoding="utf-8")
    return Learnt(np.array(episodes), np.array(rewards), served)


class _RewardSum(BaseCallback):
    total = 0.0

    def _on_step(self) -> bool:
        self.total += float(np.sum(self.locals["rewards"]))
        return True


def _greedy_reward(agent: Any, states: States) -> float:
    return float(states.rewards_of(states.actions("root", agent)).mean())


def _curve_digest(lesson: Lesson, states: States, seed: int) -> str:
    """Name of everything that the curve depends on; the states stand for the environment."""
    told: dict[str, Any] = {
        "episodes": lesson.episodes,
        "num_envs": lesson.num_envs,
        "every": lesson.every_episodes,
        "seed": seed,
    }
    if lesson.init_from is not None:
        told |= {"init_from": file_fingerprint(policy_file(lesson.init_from))}
    digest = hashlib.sha256(json.dumps(told | {"agent": dict(lesson.agent)}, sort_keys=True).encode())
    digest.update(states.observations.tobytes())
    digest.update(states.rewards.tobytes())
    return digest.hexdigest()[:12]


def trained_root(keywords: Mapping[str, Any], training: Mapping[str, Any], console: Console) -> Predictor:
    """Train ROOT in an environment, or read the one that an earlier experiment trained in the same.

    Deterministic: the same profile, settings and seed give the same agent.

    Args:
        keywords: constructor keywords of the environment; `profile` holds a profile.
        training: `agent` (the group of that name), `total_requests`, `num_envs`, `seed`, `folder` of the trained ones.
        console: where it is said.

    Raises:
        ValueError: unknown or missing keys of `training`, or hyperparameters that do not exist.
    """
    check_keys("experiment.root", training, ["agent", "total_requests", "num_envs", "seed", "folder"])
    folder = Path(training["folder"])
    path = folder / f"root_{keywords['receiver']}_{_root_digest(keywords, training)}.zip"
    env = SplitVectorEnv(training["num_envs"], **keywords)
    if not path.is_file():
        torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
        agent = make_agent(env=env, seed=training["seed"], **training["agent"])
        total = training["total_requests"]
        with tqdm(total=total, desc=f"ROOT for {keywords['receiver']}", unit="request", unit_scale=True) as bar:
            period = max(1, total // 100)
            agent.learn(total, callback=EveryRequests(period, lambda: bar.update(period)), log_interval=None)  # type: ignore[arg-type]
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            agent.save(partial)
        console.print(f"trained {path}", highlight=False, soft_wrap=True)
    return load_policy(path, env)


def _root_digest(keywords: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """Name of everything that the trained agent depends on."""
    profile, receiver = keywords["profile"], keywords["receiver"]
    told = {key: repr(value) for key, value in keywords.items() if key != "profile"}
    told |= {"training": repr({key: value for key, value in training.items() if key != "folder"})}
    told |= {"requests": repr(profile.requests), "snr_db": repr(profile.snr_db.tolist())}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    # Plans of other papers read other receivers too.
    read = (
        [receiver]
        if keywords.get("plans", ["semaigc"]) == ["semaigc"]
        else [receiver, *sorted({*profile.receivers} - {receiver})]
    )
    for metric in profile.metrics:
        for name in read:
            digest.update(profile.values(name, metric).tobytes())
        digest.update(profile.reference(metric).tobytes())
    return digest.hexdigest()[:12]
