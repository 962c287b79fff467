"""Export sessions of a policy as a Minari data set: `python -m agents offline` (extra `minari`)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from agents.policies import Predictor, load_policy
from agents.reports.provenance import describe
from agents.runs.settings import GROUPS, read_settings
from agents.runs.setup import prepare_environment
from envs import SplitVectorEnv
from envs.checks import Count, Natural
from envs.command_line import command


@dataclass(frozen=True)
class OfflineSettings:
    """`configs/offline.yaml` outside the groups.

    Attributes:
        dataset: Minari's name of the data set, `NAMESPACE/NAME-vN`.
        policy: who serves, a name or a path.
        seed: of the requests, and of the policy.
        num_sessions: episodes.
    """

    dataset: str
    policy: str
    seed: Natural
    num_sessions: Count


@dataclass(frozen=True)
class Sessions:
    """N sessions of T requests.

    Attributes:
        observations: float32 [T + 1, N, 7], the last one not acted on.
        actions: int64 [T, N].
        rewards: float64 [T, N], or [T, N, M] for a vector of M objectives.
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]


def roll_out(policy: Predictor, environment: SplitVectorEnv, seed: int) -> Sessions:
    """Serve one session in each environment."""
    observation, _ = environment.reset(seed=seed)
    observations, actions, rewards = [observation], [], []
    for _ in range(environment.model.settings.episode_length):
        action, _ = policy.predict(observation, deterministic=False)
        observation, reward, _, _, info = environment.step(action)
        observations.append(info.get("final_obs", observation))
        actions.append(np.asarray(action, dtype=np.int64))
        rewards.append(reward)
    return Sessions(np.stack(observations), np.stack(actions), np.stack(rewards))


def export(sessions: Sessions, environment: SplitVectorEnv, dataset: str, policy: str, description: str) -> Any:
    """Write sessions as a Minari data set.

    Raises:
        ValueError: Minari is not installed, or has a data set of this name.
    """
    if find_spec("minari") is None:
        raise ValueError("Minari is not installed: pip install '.[minari]'")
    import minari
    from minari.data_collector import EpisodeBuffer

    length, count = sessions.actions.shape
    buffer = [
        EpisodeBuffer(
            id=index,
            observations=sessions.observations[:, index],  # type: ignore[arg-type]
            actions=sessions.actions[:, index],  # type: ignore[arg-type]
            rewards=list(sessions.rewards[:, index]),
            terminations=[*[False] * (length - 1), True],
            truncations=[False] * length,
        )
        for index in range(count)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it asks for authors, links and a registered environment
        return minari.create_dataset_from_buffers(
            dataset,
            buffer,
            observation_space=environment.single_observation_space,
            action_space=environment.single_action_space,
            algorithm_name=policy,
            description=description,
            data_format="hdf5",
        )


@command("offline")
def main(config: DictConfig) -> None:
    """Export as `configs/offline.yaml` says."""
    settings = read_settings(OfflineSettings, config, GROUPS)
    environment = prepare_environment(config, settings.num_sessions)[1]
    policy = load_policy(settings.policy, environment, seed=settings.seed)
    source = describe(config, environment)
    sessions = roll_out(policy, environment, settings.seed)
    export(sessions, environment, settings.dataset, settings.policy, source)
    mean = sessions.rewards.mean(axis=(0, 1))
    print(f"{settings.dataset}: {settings.num_sessions} sessions, {sessions.actions.size} requests, reward {mean}")
