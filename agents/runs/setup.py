"""What both commands prepare from a configuration, and refuse, before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from agents.runs.comparison import Contender, contender
from agents.runs.settings import environment_keywords, plain, policy_names
from agents.runs.transceivers import check_transceiver, matching_transceiver
from envs import SplitVectorEnv
from envs.transceiver import timed_costs


@dataclass(frozen=True)
class Setup:
    """The environment and the policies of a configuration.

    Attributes:
        keywords: constructor keywords of the environment; the profile is read, and shared by all that are made.
        environment: one of them.
        contenders: label -> policy to compare with.
    """

    keywords: dict[str, Any]
    environment: SplitVectorEnv
    contenders: dict[str, Contender]


def prepare(config: DictConfig, num_envs: int, refused: dict[str, str] | None = None) -> Setup:
    """Read the profile, make the environment, load every policy.

    Args:
        config: with the groups of `agents.runs.settings.GROUPS`.
        num_envs: sessions side by side.
        refused: where given, policies that cannot be loaded are left out, and here is why: label -> reason.

    Raises:
        ValueError: anything in the groups that is unknown, missing, or does not fit the rest.
    """
    policies = policy_names(config)
    keywords, environment = prepare_environment(config, num_envs)
    contenders = {}
    for label, policy in policies.items():
        try:
            contenders[label] = contender(policy, keywords, num_envs)
        except ValueError as error:
            if refused is None:
                raise
            refused[label] = str(error)
    return Setup(keywords, environment, contenders)


def prepare_environment(config: DictConfig, num_envs: int) -> tuple[dict[str, Any], SplitVectorEnv]:
    """Read the profile, load the transceiver where images are generated or steps timed, make the environment.

    Args:
        config: with the groups of `prepare` but `policies`.
        num_envs: sessions side by side.

    Returns:
        (constructor keywords of the environment, the environment).

    Raises:
        ValueError: anything in the groups that is unknown, missing, or does not fit the rest.
    """
    keywords = environment_keywords(config)
    check_transceiver(config.transceiver)
    late = {name: keywords.pop(name) for name in ("fidelity", "channel", "costs")}
    model = SplitVectorEnv(1, **keywords).model
    keywords |= late | {"profile": model.profile}
    if late["fidelity"] == "live" or late["costs"] == "measured":
        transceiver = matching_transceiver(config.transceiver, model.profile, late["channel"])
        if late["fidelity"] == "live":
            keywords["transceiver"] = transceiver
        if late["costs"] == "measured":
            timing = plain(config.costs, exclude=["name"])
            keywords["costs"] = timed_costs(transceiver, model.settings.receiver, **timing)
    return keywords, SplitVectorEnv(num_envs, **keywords)
