"""Export sessions of a policy as a Minari data set: `python -m agents offline` (extra `minari`)."""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray
from omegaconf import DictConfig

from agents.policies import Predictor, load_policy
from agents.reports.provenance import describe
from agents.runs.settings import GROUPS, configured_costs, read_settings
from agents.runs.setup import prepare_environment
from envs import SplitVectorEnv, costs
from envs.checks import Count, Natural
from envs.command_line import command, plain


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
    observations, actions, rewards, state = [observation], [], [], None
    for served in range(environment.model.settings.episode_length):
        action, state = policy.predict(observation, state, np.full(environment.num_envs, served == 0))
        observation, reward, _, _, info = environment.step(action)
        observations.append(info.get("final_obs", observation))
        actions.append(np.asarray(action, dtype=np.int64))
        rewards.append(reward)
    return Sessions(np.stack(observations), np.stack(actions), np.stack(rewards))


def environment_spec(config: DictConfig) -> EnvSpec | None:
    """How Gymnasium makes the environment of a configuration again, in plain values that a file can hold.

    None where plain values do not: with timed costs, another light network than the default, or another transceiver
    than the embedded one where images are generated.
    """
    keywords = plain(config.env)
    if configured_costs(config.costs) not in (costs.Stated(), costs.Counted()):
        return None
    if keywords["fidelity"] == "live" and config.transceiver.path is not None:
        return None
    if keywords["profile"] is not None:
        keywords["profile"] = str(Path(keywords["profile"]).absolute())
    devices = plain(config.devices)
    spec = deepcopy(gym.spec("SemAIGC/Split-v0"))
    spec.kwargs = keywords | {
        "scenario": plain(config.scenario),
        "channel": plain(config.channel),
        "costs": config.costs.name,
        "edge_device": devices["edge"],
        "user_device": devices["user"],
    }
    if "cloud" in devices:
        spec.kwargs["cloud_device"] = devices["cloud"]
    return spec


def export(
    sessions: Sessions, environment: SplitVectorEnv, dataset: str, policy: str, description: str, spec: EnvSpec | None
) -> Any:
    """Write sessions as a Minari data set; with `spec`, its `recover_environment()` makes the environment again.

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
        warnings.simplefilter("ignore", UserWarning)  # it asks for authors, links and an environment to evaluate in
        return minari.create_dataset_from_buffers(
            dataset,
            buffer,
            env=spec,
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
    source, spec = describe(config, environment), environment_spec(config)
    sessions = roll_out(policy, environment, settings.seed)
    export(sessions, environment, settings.dataset, settings.policy, source, spec)
    mean = sessions.rewards.mean(axis=(0, 1))
    print(f"{settings.dataset}: {settings.num_sessions} sessions, {sessions.actions.size} requests, reward {mean}")
    if spec is None:
        print("its recover_environment() has nothing to make: these costs or this transceiver are no plain values")
