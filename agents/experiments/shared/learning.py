"""Agents that experiments train: ROOT for a receiver without one, and learning curves, each kept in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

from agents.experiments.shared.states import States
from agents.experiments.shared.study import CurveOptions, RootTraining, Study
from agents.policies import Predictor, load_policy
from agents.policies.loading import policy_file
from agents.reports.provenance import file_fingerprint
from agents.runs.callbacks import EveryRequests
from agents.runs.learn import Lesson, learn, new_agent
from agents.runs.settings import AgentSettings
from envs import SplitSettings, SplitVectorEnv
from envs.files import whole_file, write_text


def root_of(study: Study, receiver: str, training: RootTraining) -> Predictor:
    """ROOT for a receiver: the configured one for the configured receiver, one trained here for another.

    Args:
        study: of the experiment.
        receiver: in the profile.
        training: how the other is trained.
    """
    if receiver == study.receiver:
        return study.root
    return trained_root(study.settings_of(receiver), training, study.console)


def trained_root(settings: SplitSettings, training: RootTraining, console: Console) -> Predictor:
    """Train ROOT in an environment, or read the one that an earlier experiment trained in the same.

    Deterministic: the same profile, settings and seed give the same agent.

    Args:
        settings: of the environment; `profile` holds a profile.
        training: how it is trained, and where the trained ones are.
        console: where it is said.

    Raises:
        ValueError: hyperparameters that do not exist.
    """
    path = Path(training.folder) / f"root_{settings.receiver}_{_root_digest(settings, training)}.zip"
    if not path.is_file():
        total = training.total_requests
        chosen = AgentSettings.from_config(training.agent)
        agent = new_agent(Lesson(chosen, settings, total, training.num_envs, training.seed))
        with tqdm(total=total, desc=f"ROOT for {settings.receiver}", unit="request", unit_scale=True) as bar:
            period = max(1, total // 100)
            learn(agent, total, [EveryRequests(period, lambda: bar.update(period))])
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            agent.save(partial)
        console.print(f"trained {path}", highlight=False, soft_wrap=True)
    return load_policy(path, SplitVectorEnv(training.num_envs, settings))


def lesson_of(options: CurveOptions, settings: SplitSettings, agent: AgentSettings, seed: int = 0) -> Lesson:
    """What an agent of an experiment over learning curves learns from."""
    return Lesson(agent, settings, options.episodes * settings.episode_length, options.num_envs, seed)


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


def learning_curves(
    options: CurveOptions,
    settings: SplitSettings,
    agent: AgentSettings,
    states: States,
    folder: Path,
    on_agent: Callable[[], object] = lambda: None,
) -> list[Learnt]:
    """Let the agents of all seeds learn; finished ones are kept in the folder.

    Args:
        options: sizes.
        settings: of the environment.
        agent: what learns.
        states: in which the greedy policy's expected reward is taken.
        folder: of the experiment.
        on_agent: called after each.
    """
    learnt = []
    for seed in range(options.seeds):
        learnt.append(
            _learning_curve(lesson_of(options, settings, agent, seed), states, options.every_episodes, folder)
        )
        on_agent()
    return learnt


def _learning_curve(lesson: Lesson, states: States, every_episodes: int, folder: Path) -> Learnt:
    """Let one agent learn and look at it now and then, or read how it did if it has learnt before."""
    digest = _curve_digest(lesson, states, every_episodes)
    path = folder / "curves" / f"{lesson.environment.receiver}_{lesson.seed}_{digest}.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Learnt(np.array(kept["episodes"]), np.array(kept["rewards"]), kept.get("served", float("nan")))
    agent, requests = new_agent(lesson), lesson.environment.episode_length
    episodes, rewards = [0], [_greedy_reward(agent, states)]

    def look() -> None:
        episodes.append(agent.num_timesteps // requests)
        rewards.append(_greedy_reward(agent, states))

    sums = _RewardSum()
    learn(agent, lesson.total_requests, [EveryRequests(every_episodes * requests, look), sums])
    served = sums.total / agent.num_timesteps
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"episodes": episodes, "rewards": rewards, "served": served}))
    return Learnt(np.array(episodes), np.array(rewards), served)


class _RewardSum(BaseCallback):
    total = 0.0

    def _on_step(self) -> bool:
        self.total += float(np.sum(self.locals["rewards"]))
        return True


def _greedy_reward(agent: Any, states: States) -> float:
    return float(states.rewards_of(states.actions("root", agent)).mean())


def _root_digest(settings: SplitSettings, training: RootTraining) -> str:
    """Name of everything that the trained agent depends on."""
    profile: Any = settings.profile
    told = {each.name: repr(getattr(settings, each.name)) for each in fields(settings) if each.name != "profile"}
    told |= {each.name: repr(getattr(training, each.name)) for each in fields(training) if each.name != "folder"}
    told |= {"requests": repr(profile.requests), "snr_db": repr(profile.snr_db.tolist())}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for metric in profile.metrics:
        for name in sorted(profile.receivers):  # plans of other papers read other receivers too
            digest.update(profile.values(name, metric).tobytes())
        digest.update(profile.reference(metric).tobytes())
    return digest.hexdigest()[:12]


def _curve_digest(lesson: Lesson, states: States, every_episodes: int) -> str:
    """Name of everything that the curve depends on; the states stand for the environment."""
    agent = lesson.agent
    told: dict[str, Any] = {
        "requests": lesson.total_requests,
        "num_envs": lesson.num_envs,
        "every": every_episodes,
        "seed": lesson.seed,
        "agent": {"name": agent.name, **agent.hyperparameters},
    }
    if agent.init_from is not None:
        told |= {"init_from": file_fingerprint(policy_file(agent.init_from))}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    digest.update(states.observations.tobytes())
    digest.update(states.rewards.tobytes())
    return digest.hexdigest()[:12]
