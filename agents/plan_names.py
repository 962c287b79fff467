"""Which plans an agent's actions are: told to it when it is made, saved with it, compared where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # exported policies do without torch
    from stable_baselines3.common.base_class import BaseAlgorithm


def tell_plan_names(agent: BaseAlgorithm) -> None:
    """Keep the plans of the agent's environment in `agent.plan_names`, which its `save` writes; None if it has none."""
    environment: Any = agent.get_env()
    try:
        names = environment.get_attr("model")[0].plan_names
    except AttributeError:  # an environment of others
        names = None
    agent.plan_names = None if names is None else list(names)  # type: ignore[attr-defined]


def told_plan_names(agent: BaseAlgorithm) -> list[str] | None:
    """The plans of an agent's actions; None where nobody told it."""
    return getattr(agent, "plan_names", None)


def check_plan_names(name: str, own: Sequence[str] | None, given: Sequence[str] | None) -> None:
    """Refuse a policy that chooses among other plans than the environment's.

    Args:
        name: of the policy, in the message.
        own: plans of its actions.
        given: those of the environment. Where nobody knows the one or the other, None, their number has to do.

    Raises:
        ValueError: they are not the same, in the same order.
    """
    if own is not None and given is not None and list(own) != list(given):
        raise ValueError(
            f"policy {name!r} chooses among {len(own)} plans ({own[0]} .. {own[-1]}), the environment has "
            f"{len(given)} ({given[0]} .. {given[-1]})"
        )
