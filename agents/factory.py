"""One way to make every learning agent, with hyperparameters that suit this project's environment."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
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
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule

from agents.d2sac import D2SAC
from agents.d3qn import D3QN
from agents.linucb import LinUCB
from agents.sb3_vec_env import SB3VecEnv
from envs import checks
from envs.command_line import CONFIGS, plain

Check = Callable[[str, Any], Any]
"""Refuses a value by the name that it was given under."""

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
NOT_TO_SET |= {"action_noise", "use_sde_at_warmup", "args", "observation_space", "action_space", "lr_schedule"}
"""Parameters of constructors that are not hyperparameters: an algorithm's own choice, or for continuous actions."""


def _bounds(*bounds: float, above: float = -math.inf) -> Check:
    return lambda name, value: checks.number(name, value, *bounds, above=above)


def _count(name: str, value: Any) -> int:
    return checks.integer(name, value, 1)


def _or(other: Any, check: Check) -> Check:
    return lambda name, value: value if value is other or value == other else check(name, value)


def _learning_rate(name: str, value: Any) -> None:
    """A positive number; two of them, of which the last may be 0; or a schedule, in code."""
    ends = value if isinstance(value, tuple | list) else (value, value)
    if callable(value):
        return
    if len(ends) != 2 or not all(map(checks.is_finite, ends)) or ends[0] <= 0 or ends[1] < 0:
        raise ValueError(f"{name} must be a number > 0, or (first, last) with first > 0 and last >= 0, got {value!r}")


def _clip_range(name: str, value: Any) -> None:
    if not callable(value):
        checks.number(name, value, above=0)


def _train_freq(name: str, value: Any) -> None:
    """Steps, or (how many, "step" or "episode")."""
    count, unit = value if isinstance(value, tuple | list) and len(value) == 2 else (value, "step")
    _count(name, count)
    checks.choice(f"unit of {name}", unit, ("step", "episode"))


def _widths(name: str, value: Any) -> None:
    """Widths of the hidden layers; of actor (pi) and critic (vf) apart where the policy has both."""
    if isinstance(value, Mapping):
        checks.keys(name, value, ("pi", "vf"), ("pi", "vf"))
    for each in value.values() if isinstance(value, Mapping) else [value]:
        if not isinstance(each, list | tuple):
            raise ValueError(f"{name} must be a list of widths, or such lists as pi and vf, got {value!r}")
        for width in each:
            _count(f"a width in {name}", width)


def _mapping(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a mapping of keywords, got {value!r}")


def _class(name: str, value: Any) -> None:
    if not isinstance(value, type):
        raise ValueError(f"{name} must be a class, which only code can give, got {value!r}")


_SHARE, _POSITIVE_SHARE = _bounds(0, 1), _bounds(0, 1, above=0)
_POSITIVE, _NOT_NEGATIVE = _bounds(above=0), _bounds(0)
RANGES: dict[str, Check] = {
    **dict.fromkeys(("gamma", "gae_lambda", "exploration_initial_eps", "exploration_final_eps"), _SHARE),
    **dict.fromkeys(("tau", "exploration_fraction"), _POSITIVE_SHARE),
    **dict.fromkeys(("max_grad_norm", "rms_prop_eps", "ridge"), _POSITIVE),
    **dict.fromkeys(("ent_coef", "vf_coef", "actor_lr_scale", "alpha"), _NOT_NEGATIVE),
    **dict.fromkeys(("batch_size", "buffer_size", "n_steps", "n_epochs", "degree", "stats_window_size"), _count),
    "target_update_interval": _count,
    "learning_starts": lambda name, value: checks.integer(name, value, 0),
    "gradient_steps": _or(-1, _count),  # -1: as many as steps were taken
    "sde_sample_freq": _or(-1, _count),
    "verbose": lambda name, value: checks.integer(name, value, 0, 2),
    "train_freq": _train_freq,
    "learning_rate": _learning_rate,
    "clip_range": _clip_range,
    "clip_range_vf": _or(None, _clip_range),
    "target_kl": _or(None, _POSITIVE),
    **dict.fromkeys(("double", "prioritized", "entropy_in_target", "optimize_memory_usage"), checks.flag),
    **dict.fromkeys(("normalize_advantage", "use_rms_prop", "use_sde"), checks.flag),
    **dict.fromkeys(("policy_kwargs", "replay_buffer_kwargs", "rollout_buffer_kwargs"), _or(None, _mapping)),
    **dict.fromkeys(("replay_buffer_class", "rollout_buffer_class"), _or(None, _class)),
}
"""What each hyperparameter may be, in every algorithm that has it."""
POLICY_RANGES: dict[str, Check] = {
    "net_arch": _or(None, _widths),
    "dueling": checks.flag,
    "n_quantiles": _count,
    "num_denoising_steps": _count,
    "temperature": _POSITIVE,
    "activation_fn": _class,
    "optimizer_class": _class,
    "optimizer_kwargs": _or(None, _mapping),
}
"""The same within `policy_kwargs`; what is not here is left to the policy."""


def check_hyperparameters(name: str, hyperparameters: Mapping[str, Any]) -> None:
    """Refuse what an algorithm does not have or what lies outside `RANGES`, before anything is made.

    Args:
        name: a key of `ALGORITHMS`.
        hyperparameters: as `make_agent` takes them.

    Raises:
        ValueError: an unknown algorithm or hyperparameter, or a value that is not allowed.
    """
    checks.choice("agent", name, ALGORITHMS)
    allowed = sorted(_constructor_parameters(ALGORITHMS[name]))
    checks.keys(f"hyperparameters of {name}", hyperparameters, allowed, allowed)
    for key, value in hyperparameters.items():
        RANGES[key](f"{key} of {name}", value)
    given = hyperparameters.get("policy_kwargs") or {}
    known = sorted(_constructor_parameters(ALGORITHMS[name].policy_aliases["MlpPolicy"]))
    checks.keys(f"policy_kwargs of {name}", given, known, known)
    for key, value in given.items():
        if key in POLICY_RANGES:
            POLICY_RANGES[key](f"policy_kwargs.{key} of {name}", value)
    if isinstance(given.get("net_arch"), Mapping) and not issubclass(ALGORITHMS[name], OnPolicyAlgorithm):
        raise ValueError(f"policy_kwargs.net_arch of {name} must be a list of widths, got {given['net_arch']!r}")


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
        ValueError: an unknown name or hyperparameter, a value outside `RANGES`, or an environment whose actions the
            agent cannot take or whose observations are not one array.
    """
    check_hyperparameters(name, hyperparameters)
    settings, algorithm = default_hyperparameters(name), ALGORITHMS[name]
    adapted: Any = SB3VecEnv(env) if isinstance(env, gym.vector.VectorEnv) else env
    _check_spaces(name, adapted)
    if name == "maskable_ppo" and isinstance(adapted, gym.Env) and not is_masking_supported(adapted):
        adapted = ActionMasker(adapted, _all_possible)
    for key, value in hyperparameters.items():
        settings[key] = settings["policy_kwargs"] | (value or {}) if key == "policy_kwargs" else value
    if "learning_rate" in settings:
        settings["learning_rate"] = _schedule(settings["learning_rate"])
    if isinstance(settings.get("train_freq"), list):
        settings["train_freq"] = tuple(settings["train_freq"])
    if "episode" in np.atleast_1d(settings.get("train_freq", 1)) and getattr(adapted, "num_envs", 1) > 1:
        raise ValueError(f"train_freq of {name} counts episodes of one environment, got {adapted.num_envs}")
    try:
        agent = algorithm("MlpPolicy", adapted, seed=seed, device=device, tensorboard_log=tensorboard_log, **settings)
    except (AssertionError, MemoryError, TypeError) as error:  # how libraries refuse what does not fit together
        raise ValueError(f"{name} cannot be made with these hyperparameters: {error}") from error
    agent.plan_names = plan_names_of(agent.get_env())  # type: ignore[attr-defined]  # its `save` writes them
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
    first, last = learning_rate
    return LinearSchedule(first, last, end_fraction=1.0)


def _constructor_parameters(made: type) -> set[str]:
    """Name what may be set, up to the first constructor that does not pass the rest on to its base."""
    named: set[str] = set()
    for cls in made.__mro__:
        parameters = inspect.signature(vars(cls)["__init__"]).parameters
        named |= set(parameters)
        if "kwargs" not in parameters:
            break
    return named - NOT_TO_SET


def plan_names_of(env: Any) -> list[str] | None:
    """The plans of an environment's actions; None where it is one of others."""
    try:
        return list(env.get_attr("model")[0].plan_names)
    except AttributeError:
        return None
