"""Policies by name, or by the path of a trained agent."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Any

from agents.policies.acting import Adapted, check_spaces
from agents.policies.base import FixedPolicy, Policy, Predictor, RandomPolicy
from agents.policies.exported import READERS, ExportedPolicy
from agents.policies.model_based import Clairvoyant, EstimatedState, Oracle, StateOracle, fitted
from agents.policies.planner import planner
from agents.policies.rule_search import best_fixed, two_split
from envs import checks, plans
from envs.transceiver import ACCEPTANCE_RULES, Acceptance

ROOT_WEIGHTS = {f"root_{rule}": Path(__file__).parents[1] / "weights" / f"root_{rule}.zip" for rule in ACCEPTANCE_RULES}
"""The shipped ROOT for each named rule of acceptance; `root` is that of the environment's."""

SCHEMES: dict[str, Callable[[int], plans.Plan]] = {
    "non_root": plans.non_root,
    "non_finetuning": plans.non_finetuning,
    "edge": plans.edge_aigc,
    "local": plans.local_aigc,
}
"""The papers' fixed schemes: name -> the plan, for T steps."""

_MAKERS: dict[str, Callable[[Any, int], Policy]] = {
    "oracle": lambda env, _: _oracle(env, fitted(env.model)),
    "oracle_bound": lambda env, _: _oracle(env, env.model),
    "clairvoyant": lambda env, _: Clairvoyant(env),
    "planner": lambda env, seed: planner(env, fitted(env.model), seed),
    "planner_bound": lambda env, seed: planner(env, env.model, seed),
    "model_based_estimated": lambda env, seed: EstimatedState(Oracle(fitted(env.model)), seed),
    "best_fixed": lambda env, seed: best_fixed(env.model, seed),
    "two_split": lambda env, seed: two_split(env.model, seed),
    "random": lambda env, seed: RandomPolicy(len(env.model.plan_names), seed),
}
"""Other policies that are not trained: name -> what makes one for an unwrapped environment, with a seed."""

POLICY_NAMES = (*_MAKERS, *SCHEMES, "root")
REQUIRED_PLANS = dict[str, list[str] | None].fromkeys(POLICY_NAMES) | {"edge": ["edge_aigc"], "local": ["local_aigc"]}
"""The plans that a policy needs in the environment; None: the default list."""


def load_policy(name_or_path: str | os.PathLike[str], env: Any, *, seed: int = 0) -> Predictor:
    """A policy for an environment.

    | name | decides |
    |---|---|
    | `oracle` | the largest expected reward of the request at hand given the true state, which an instantaneous |
    | | observation shows |
    | `oracle_bound` | the same: where actions do not move the state, no policy that sees only observations beats it |
    | `clairvoyant` | the largest reward given the request and the channel draws too: there, a bound for all |
    | `planner`, `planner_bound` | with what later requests lose in mind (`agents.policies.planner`), where decisions |
    | | reach them: scenarios `queue` and `battery` |
    | `model_based_estimated` | as `oracle`, but for a state measured with errors (`agents.policies.model_based`) |
    | `root` | the shipped D3QN, trained in the default environment under the environment's rule of acceptance |
    | `root_similarity`, `root_alignment` | the same, whatever the environment's rule is |
    | `best_fixed` | always the plan of the largest mean expected reward |
    | `two_split` | the best rule of one plan below a threshold on the edge's capability, another above |
    | `non_root`, `non_finetuning`, `edge`, `local` | the papers' fixed schemes |
    | `random` | uniformly |

    Policies are fitted on the profile's training requests, whatever the environment serves, as agents learn from those:
    they can be judged on others. `oracle_bound`, `planner_bound` and `clairvoyant` know the environment's own: they are
    bounds, no opponents.

    Where decisions do move the state (scenarios `queue` and `battery`), `best_fixed` and `two_split` are found by
    serving sessions, and `two_split` may switch on the backlog or the battery instead.

    Args:
        name_or_path: one of these names, the zip file of a trained agent, a run folder that holds `policy.zip`, an
            exported policy (`.onnx`, `.safetensors`), or a class of one's own, `package.module:Class` or
            `FILE.py:Class`, which is made as `Class(env)` (`own_policy`). A zip is unpickled, which can
            run any code in it: load only files that you trust; an exported policy is not.
        env: the environment to act in, single, vectorised or adapted; wrappers are looked through.
        seed: of what the policy draws: `random`'s actions, the errors of `model_based_estimated`, the samples of states
            behind `best_fixed`, `two_split` and the planners.

    Raises:
        ValueError: neither a name nor an existing path; the environment's list lacks the policy's plan, or does not
            fit the trained agent's actions or observations; or a class that cannot be made, or has no `predict`.
    """
    core = unwrapped(env)
    name = os.fspath(name_or_path)
    if name in _MAKERS:
        return _MAKERS[name](core, seed)
    if name in SCHEMES:
        return FixedPolicy(core.model.action_of(SCHEMES[name](core.model.num_inference_steps).name))
    if names_code(name):
        return own_policy(name, core)
    path = policy_file(name, core.model.settings.acceptance_rule)
    policy: TrainedPolicy | ExportedPolicy
    if path.suffix in READERS:
        policy = READERS[path.suffix](path)
    else:
        from agents.policies.trained import TrainedPolicy  # torch is not needed by the other policies

        policy = TrainedPolicy.load(path, core)
    policy.check(core, name)
    return policy


def _oracle(env: Any, model: Any) -> Policy:
    return Oracle(model) if model.settings.observation_window == 1 else StateOracle(env, model)


def names_code(name: str) -> bool:
    """Whether a policy is named as `package.module:Class` or `FILE.py:Class`, or is meant to be."""
    place, _, cls = name.rpartition(":")
    return name.endswith(".py") or (bool(place) and cls.isidentifier())


def own_policy(name: str, env: Any) -> Adapted:
    """Make a policy of one's own. Its module is executed: name only code that you trust.

    Args:
        name: `package.module:Class` or `FILE.py:Class`, see `envs.checks.import_object`. Whatever can be called with
            the environment will do for the class.
        env: the environment that it will act in, unwrapped: with `evaluate.py` the native vector environment, whose
            `model` has plans, prices and expected rewards.

    Returns:
        What `Class(env)` gives, behind stable-baselines3's `predict`.

    Raises:
        ValueError: no such file, module or class, an error while it is imported or made, other spaces than the
            environment's, or a `predict` that is missing or needs what is not there.
    """
    try:
        made = checks.import_object(name)(env)
    except Exception as error:  # of somebody's code: anything
        told, where = str(error).removeprefix(f"{name!r}: "), extract_tb(error.__traceback__)[-1]
        if not isinstance(error, ValueError):
            told = f"{type(error).__name__}: {told}"
        if Path(where.filename).is_file() and where.filename not in (__file__, checks.__file__):
            told += f" ({Path(where.filename).name}, line {where.lineno})"
        raise ValueError(f"policy {name!r} cannot be made: {told}") from error
    check_spaces(made, env, name)
    return Adapted(made, env)


def policy_file(name: str, rule: Acceptance) -> Path:
    """The file of a policy.

    Args:
        name: `root`, a name of `ROOT_WEIGHTS`, a run's folder that holds `policy.zip`, the file itself, or a class of
            one's own.
        rule: of acceptance in the environment, which `root` was trained under.

    Raises:
        ValueError: there is no such file.
    """
    if name == "root":
        if rule.name is None:
            raise ValueError(
                f"policy 'root' is shipped for acceptance {' and '.join(ACCEPTANCE_RULES)}, not for {rule}: "
                f"python train.py 'env.acceptance={{metric:{rule.metric},least:{rule.least:g}}}' trains one"
            )
        name = f"root_{rule.name}"
    if name in ROOT_WEIGHTS and not ROOT_WEIGHTS[name].is_file():
        chosen = name.removeprefix("root_")
        raise ValueError(
            f"policy {name!r} is not shipped: python train.py env.acceptance={chosen} trains it, give its run's folder"
        )
    if names_code(name):
        try:
            return Path(inspect.getfile(checks.import_object(name)))
        except TypeError as error:
            raise ValueError(f"policy {name!r} has no file") from error
    path = ROOT_WEIGHTS.get(name, Path(name))
    if path.is_dir():
        path /= "policy.zip"
    if not path.is_file():
        raise ValueError(
            f"policy {name!r} is neither a name nor a file ({path}); names: {', '.join(POLICY_NAMES)}; a class of your "
            "own is FILE.py:Class or package.module:Class"
        )
    return path


def unwrapped(env: Any) -> Any:
    """The environment of this project behind wrappers and the stable-baselines3 adapter."""
    inner = env.unwrapped
    return inner.env.unwrapped if hasattr(inner, "step_wait") else inner
