"""Agents that experiments train: ROOT for a receiver without one, and learning curves, each kept in a file.

They learn from the training requests of the profile, whatever those are that they are judged on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
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
from envs.transceiver import TRAIN

FINAL_SHARE = 0.1
"""The last share of a curve, whose mean is the final reward."""


def root_of(study: Study, receiver: str, training: RootTraining) -> Predictor:
    """ROOT for a receiver: the configured one for the configured receiver, one trained here for another."""
    if receiver == study.receiver:
        return study.root
    return trained_root(study.settings_of(receiver), training, study.console)


def trained_root(settings: SplitSettings, training: RootTraining, console: Console) -> Predictor:
    """Train ROOT on the training requests of an environment, or read the one that an earlier experiment trained so.

    Deterministic: the same training requests, settings and seed give the same agent.

    Args:
        settings: of the environment that it acts in; `profile` holds a profile.
        training: how it is trained, and where the trained ones are.
        console: where it is said.

    Raises:
        ValueError: hyperparameters that do not exist.
    """
    learnt_in = replace(settings, requests=TRAIN)
    path = Path(training.folder) / f"root_{settings.receiver}_{_root_digest(learnt_in, training)}.zip"
    if not path.is_file():
        total = training.total_requests
        chosen = AgentSettings.from_config(training.agent)
        agent = new_agent(Lesson(chosen, learnt_in, total, training.num_envs, training.seed))
        with tqdm(total=total, desc=f"ROOT for {settings.receiver}", unit="request", unit_scale=True) as bar:
            period = max(1, total // 100)
            learn(agent, total, [EveryRequests(period, lambda: bar.update(agent.num_timesteps - bar.n))])
            bar.update(agent.num_timesteps - bar.n)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            agent.save(partial)
        console.print(f"trained {path}", soft_wrap=True)
    return load_policy(path, SplitVectorEnv(training.num_envs, settings))


def lesson_of(options: CurveOptions, settings: SplitSettings, agent: AgentSettings, seed: int = 0) -> Lesson:
    """What an agent of an experiment over learning curves learns from: training requests in such an environment."""
    return Lesson(
        agent, replace(settings, requests=TRAIN), options.episodes * settings.episode_length, options.num_envs, seed
    )


@dataclass(frozen=True)
class Curves:
    """How S agents learnt.

    Attributes:
        learnt_from: int64 [E], episodes, or requests.
        values: float64 [S, E], expected reward of the greedy policy in the given states, or its share of the
            exact optimum's.
        served: float64 [S], mean reward of the requests that each learnt from, exploration included, or its share.
    """

    learnt_from: NDArray[np.int64]
    values: NDArray[np.float64]
    served: NDArray[np.float64]

    @property
    def final(self) -> NDArray[np.float64]:
        """Mean over the end of each agent's curve, [S]."""
        return end_of(self.values)

    def shares_of(self, optimum: float) -> Curves:
        """The same as shares of the optimum's expected reward."""
        return replace(self, values=self.values / optimum, served=self.served / optimum)

    def until(self, level: float) -> float:
        """Median over agents of the first look at or above a level; infinite where it is not reached."""
        return float(np.median(self.until_each(level)))

    def until_each(self, level: float) -> NDArray[np.float64]:
        """The same of each agent, [S]."""
        reached = self.values >= level
        return np.where(reached.any(axis=1), self.learnt_from[reached.argmax(axis=1)], np.inf)

    def rows(self, x: str, value: str) -> list[dict[str, Any]]:
        """Every point of every agent, by the names of the two."""
        return [
            {"seed": seed, x: int(place), value: float(point)}
            for seed, points in enumerate(self.values)
            for place, point in zip(self.learnt_from, points, strict=True)
        ]


def end_of(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last tenth of curves [..., E]."""
    return curves[..., -max(1, round(FINAL_SHARE * curves.shape[-1])) :].mean(axis=-1)


def learning_curves(
    options: CurveOptions,
    settings: SplitSettings,
    agent: AgentSettings,
    states: States,
    folder: Path,
    on_agent: Callable[[], object] = lambda: None,
) -> Curves:
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
        lesson = lesson_of(options, settings, agent, seed)
        learnt.append(_learning_curve(lesson, states, options.every_episodes, folder))
        on_agent()
    return Curves(
        np.array(learnt[0]["episodes"]),
        np.array([each["rewards"] for each in learnt]),
        np.array([each.get("served", np.nan) for each in learnt]),  # older files lack it
    )


def _learning_curve(lesson: Lesson, states: States, every_episodes: int, folder: Path) -> dict[str, Any]:
    """Let one agent learn and look at it now and then, or read how it did if it has learnt before.

    Returns:
        `episodes` [E] learnt from, `rewards` [E] and `served`, see `Curves`.
    """
    digest = _curve_digest(lesson, states, every_episodes)
    path = folder / "curves" / f"{lesson.environment.receiver}_{lesson.seed}_{digest}.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    agent, requests = new_agent(lesson), lesson.environment.episode_length
    episodes, rewards = [], []

    def look() -> None:
        episodes.append(agent.num_timesteps // requests)
        rewards.append(float(states.expected("root", agent).mean()))

    look()
    sums = _RewardSum()
    learn(agent, lesson.total_requests, [EveryRequests(every_episodes * requests, look), sums])
    learnt = {"episodes": episodes, "rewards": rewards, "served": sums.total / agent.num_timesteps}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(learnt))
    return learnt


class _RewardSum(BaseCallback):
    total = 0.0

    def _on_step(self) -> bool:
        self.total += float(np.sum(self.locals["rewards"]))
        return True


def _root_digest(settings: SplitSettings, training: RootTraining) -> str:
    """Name of everything that the trained agent depends on."""
    facts = {each.name: repr(getattr(settings, each.name)) for each in fields(settings) if each.name != "profile"}
    facts |= {each.name: repr(getattr(training, each.name)) for each in fields(training) if each.name != "folder"}
    facts["acceptance"] = repr(settings.acceptance_rule)
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(_tables_digest(settings))
    return digest.hexdigest()[:12]


def _tables_digest(settings: SplitSettings) -> bytes:
    """Of all that an environment reads of its profile: requests, and the tables of its plans."""
    model = SplitVectorEnv(1, settings).model
    part = model.profile.part(settings.requests)
    digest = hashlib.sha256(repr(model.requests).encode())
    for key in model.quality.keys:
        table = part.table(key)
        digest.update(f"{key} {table.splits} {table.snr_db.tolist()}".encode())
        digest.update(np.ascontiguousarray(table.measured).tobytes())
        digest.update(np.ascontiguousarray(table.noise_free).tobytes())
    for steps in sorted({plan.num_inference_steps for plan in model.plans}):
        digest.update(np.ascontiguousarray(part.references[steps]).tobytes())
    return digest.digest()


def _curve_digest(lesson: Lesson, states: States, every_episodes: int) -> str:
    """Name of everything that the curve depends on; the states stand for the environment that it is judged in."""
    agent = lesson.agent
    facts: dict[str, Any] = {
        "requests": lesson.total_requests,
        "num_envs": lesson.num_envs,
        "every": every_episodes,
        "seed": lesson.seed,
        "agent": {"name": agent.name, **agent.hyperparameters},
    }
    if agent.init_from is not None:
        facts |= {"init_from": file_fingerprint(policy_file(agent.init_from, lesson.environment.acceptance_rule))}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(_tables_digest(lesson.environment))
    digest.update(states.observations.tobytes())
    digest.update(states.rewards.tobytes())
    return digest.hexdigest()[:12]
