"""Where a new agent's parameters come from when they are not random: another run's policy."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import load_from_zip_file

from agents.policies.base import check_plan_names, told_plan_names
from agents.policies.loading import policy_file
from agents.policies.trained import saved_attributes


def copy_policy(agent: BaseAlgorithm, source: str) -> None:
    """Start from the networks of a trained agent; optimiser, buffer and counters stay fresh.

    Only tensors are read from the file.

    Args:
        agent: a fresh agent.
        source: a run's folder, the zip of a trained agent, or `root`, the shipped one.

    Raises:
        ValueError: no such policy, its plans are other ones, or its networks are of other names or sizes.
    """
    path = policy_file(source)
    try:
        _, parameters, _ = load_from_zip_file(path, device=agent.device, load_data=False)
        given: dict[str, Any] = dict(parameters["policy"])  # type: ignore[arg-type]  # of state dictionaries
    except Exception as error:  # what torch and zipfile raise for a broken file has no common base
        raise ValueError(f"agent.init_from={source} is not the zip of a trained agent ({error})") from error
    check_plan_names(source, saved_attributes(path).get("plan_names"), told_plan_names(agent))
    own = agent.policy.state_dict()
    if shapes(given) != shapes(own):
        raise ValueError(
            f"agent.init_from={source} has other networks: {differing(given, own)}; the algorithm, policy_kwargs and "
            "the environment's actions must be the same"
        )
    agent.policy.load_state_dict(given)


def shapes(parameters: dict[str, torch.Tensor]) -> dict[str, list[int]]:
    """Name -> shape."""
    return {name: list(value.shape) for name, value in parameters.items()}


def differing(given: dict[str, torch.Tensor], own: dict[str, torch.Tensor]) -> str:
    """The first parameter that is not the same in both."""
    there, here = shapes(given), shapes(own)
    name = next(name for name in [*here, *there] if there.get(name) != here.get(name))
    return f"{name} is {there.get(name, 'not there')}, expected {here.get(name, 'none')}"
