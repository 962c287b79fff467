"""One way to make every learning agent, with hyperparameters that suit this project's environment."""

from __future__ import annotations

import inspect
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf
from sb3_contrib import QRDQN, MaskablePPO
from sb3_contrib.common.maskable.utils import is_masking_supported
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.utils import LinearSchedule

from agents.d2sac import D2SAC
from agents.d3qn import D3QN
from agents.linucb import LinUCB
from agents.sb3_vec_env import SB3VecEnv
from envs import checks
from envs.command_line import CONFIGS, plain

ALGORITHMS: dict[str, type[BaseAlgorithm]] = {
    "d3qn": D3QN,
    "dqn": DQN,
    "ppo": PPO,
    "a2c": A2C,
    "qrdqn": QRDQN,
    "maskable_ppo": MaskablePPO,
    "d2sac": D2SAC,
    "linucb": LinUCB,
}

NOT_TO_SET = {"self", "kwargs", "policy", "env", "seed", "device", "tensorboard_log", "_init_setup_model"}
NOT_TO_SET |= {"support_multi_env", "monitor_wrapper", "sde_support", "supported_action_spaces"}
NOT_TO_SET |= {"action_noise", "use_sde_at_warmup"}
"""Parameters of constructors that are not hyperparameters: an algorithm's own choice, or for continuous actions."""


def make_agent(
    name: str,
    env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any] | Any,
    seed: int | None = None,
    device: str = "cpu",
    tensorboard_log: str | None = None,
    **hyperparameters: Any,
) -> BaseAlgorithm:
    """Make a new, untrained agent.

    Args:
        name: a key of `ALGORITHMS`: stable-baselines3's "dqn", "ppo", "a2c"; sb3-contrib's "qrdqn", "maskable_ppo";
            this package's "d3qn", "d2sac", "linucb".
        env: a Gymnasium environment, a native vector environment (adapted here), or a stable-baselines3 `VecEnv`.
        seed: of the networks, the exploration and the environment. stable-baselines3 seeds the global generators of
            Python, numpy and torch with it.
        device: torch device; networks of this size are fastest on the CPU with one thread.
        tensorboard_log: folder of the TensorBoard log, or None.
        hyperparameters: of the algorithm's constructor, over `default_hyperparameters(name)`; `policy_kwargs` are
            merged key by key. `learning_rate` may be a pair (first, last): linear in between.

    Raises:
        ValueError: an unknown name or hyperparameter, a learning rate that is neither a number nor a pair, or an
            environment whose actions the agent cannot take or whose observations are not one array.
    """
    settings, algorithm = default_hyperparameters(name), ALGORITHMS[name]
    allowed = sorted(_constructor_parameters(algorithm))
    checks.keys(f"hyperparameters of {name}", hyperparameters, allowed, allowed)
    adapted: Any = SB3VecEnv(env) if isinstance(env, gym.vector.VectorEnv) else env
    _check_spaces(name, adapted)
    if name == "maskable_ppo" and isinstance(adapted, gym.Env) and not is_masking_supported(adapted):
        adapted = ActionMasker(adapted, _all_possible)
    for key, value in hyperparameters.items():
        settings[key] = settings["policy_kwargs"] | (value or {}) if key == "policy_kwargs" else value
    if "learning_rate" in settings:
        settings["learning_rate"] = _schedule(settings["learning_rate"])
    agent = algorithm("MlpPolicy", adapted, seed=seed, device=device, tensorboard_log=tensorboard_log, **settings)
    agent.plan_names = _plan_names(agent.get_env())  # type: ignore[attr-defined]  # its `save` writes them
    return agent


def default_hyperparameters(name: str) -> dict[str, Any]:
    """The hyperparameters that `make_agent` starts from, `configs/agent/NAME.yaml`; a new dict at every call.

    Raises:
        ValueError: an unknown name.
    """
    checks.choice("agent", name, ALGORITHMS)
    return plain(OmegaConf.load(CONFIGS / "agent" / f"{name}.yaml"), exclude=["name"])  # type: ignore[arg-type]


def _check_spaces(name: str, env: Any) -> None:
    actions, observations = env.action_space, env.observation_space
    if name not in ("ppo", "a2c") and not isinstance(actions, gym.spaces.Discrete):
        raise ValueError(f"{name} needs one discrete action, the environment has {actions}")
    if isinstance(observations, gym.spaces.Dict | gym.spaces.Tuple):
        raise ValueError(f"{name} needs observations that are one array, the environment has {observations}")


def _all_possible(env: gym.Env[Any, Any]) -> NDArray[np.bool_]:
    return np.ones(int(env.action_space.n), dtype=np.bool_)  # type: ignore[attr-defined]


def _schedule(learning_rate: Any) -> Any:
    """Turn a pair (first, last) into a schedule that is linear in the progress of training."""
    if not isinstance(learning_rate, tuple | list):
        return learning_rate
    if len(learning_rate) != 2:
        raise ValueError(f"learning_rate must be a number or (first, last), got {learning_rate!r}")
    first, last = learning_rate
    return LinearSchedule(first, last, end_fraction=1.0)


def _constructor_parameters(algorithm: type[BaseAlgorithm]) -> set[str]:
    """Name what may be set, up to the first constructor that does not pass the rest on to its base."""
    named: set[str] = set()
    for cls in algorithm.__mro__:
        parameters = inspect.signature(vars(cls)["__init__"]).parameters
        named |= set(parameters)
        if "kwargs" not in parameters:
            break
    return named - NOT_TO_SET


def _plan_names(env: Any) -> list[str] | None:
    """The plans of an environment's actions; None where it is one of others."""
    try:
        return list(env.get_attr("model")[0].plan_names)
    except AttributeError:
        return None
