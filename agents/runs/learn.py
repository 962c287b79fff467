"""One way to train: make an agent, with the networks of another where they are named, and let it learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.save_util import load_from_zip_file

from agents.factory import make_agent
from agents.policies.base import check_plan_names
from agents.policies.loading import policy_file
from agents.policies.trained import Normalisation, saved_attributes
from agents.runs.settings import AgentSettings
from envs import SplitSettings, SplitVectorEnv
from envs.transceiver import Acceptance


@dataclass(frozen=True)
class Lesson:
    """Who learns, where, and for how long.

    Attributes:
        agent: its name, hyperparameters, and where its networks come from.
        environment: what it learns in.
        total_requests: to learn from.
        num_envs: sessions side by side.
        seed: of the agent and of its environment.
    """

    agent: AgentSettings
    environment: SplitSettings
    total_requests: int
    num_envs: int
    seed: int


def new_agent(lesson: Lesson) -> BaseAlgorithm:
    """The agent of a lesson before its first request.

    Raises:
        ValueError: hyperparameters that do not exist or are not allowed, or a policy to start from that does not fit.
    """
    torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
    env = SplitVectorEnv(lesson.num_envs, lesson.environment)
    agent = make_agent(lesson.agent.name, env, lesson.seed, **lesson.agent.hyperparameters)
    if lesson.agent.init_from is not None:
        copy_policy(agent, lesson.agent.init_from, lesson.environment.acceptance_rule)
    return agent


def learn(agent: BaseAlgorithm, total_requests: int, callbacks: Sequence[BaseCallback] = ()) -> None:
    """Learn from `total_requests` in all, those of an earlier run included."""
    agent.learn(
        total_requests - agent.num_timesteps,
        callback=list(callbacks),
        reset_num_timesteps=False,
        log_interval=None,  # type: ignore[arg-type]  # the learning curve writes
    )


def copy_policy(agent: BaseAlgorithm, source: str, rule: Acceptance) -> None:
    """Start from the networks of a trained agent; optimiser, buffer and counters stay fresh.

    Only tensors are read from the file.

    Args:
        agent: a fresh agent.
        source: a run's folder, the zip of a trained agent, or `root`, the shipped one.
        rule: of acceptance where it will learn, which `root` was trained under.

    Raises:
        ValueError: no such policy, its plans or observations are other ones, or its networks are of other names or
            sizes.
    """
    path = policy_file(source, rule)
    try:
        _, parameters, _ = load_from_zip_file(path, device=agent.device, load_data=False)
        given: dict[str, Any] = dict(parameters["policy"])  # type: ignore[arg-type]  # of state dictionaries
    except Exception as error:  # what torch and zipfile raise for a broken file has no common base
        raise ValueError(f"agent.init_from={source} is not the zip of a trained agent ({error})") from error
    if Normalisation.from_zip(path) is not None:
        raise ValueError(f"agent.init_from={source} was trained on observations that VecNormalize scaled")
    check_plan_names(source, saved_attributes(path).get("plan_names"), getattr(agent, "plan_names", None))
    own = agent.policy.state_dict()
    there, here = ({name: list(value.shape) for name, value in each.items()} for each in (given, own))
    if there != here:
        name = next(name for name in [*here, *there] if there.get(name) != here.get(name))
        raise ValueError(
            f"agent.init_from={source} has other networks: {name} is {there.get(name, 'not there')}, expected "
            f"{here.get(name, 'none')}; the algorithm, policy_kwargs and the environment's actions must be the same"
        )
    agent.policy.load_state_dict(given)
