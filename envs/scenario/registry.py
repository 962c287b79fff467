"""Scenarios by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from envs.scenario.parameters import ScenarioParams
from envs.scenario.scenario import Scenario

SCENARIOS: dict[str, type[Scenario]] = {ScenarioParams.NAME: Scenario}
"""Scenarios by the name of their parameters."""

Kind = TypeVar("Kind", bound=type[Scenario])


def register_scenario(kind: Kind) -> Kind:
    """Make a scenario known by `kind.Params.NAME`; a decorator of its class.

    Raises:
        ValueError: parameters without a name of their own, or a name that another scenario has.
    """
    name = kind.Params.NAME
    if "NAME" not in vars(kind.Params):
        raise ValueError(f"{kind.Params.__name__} needs a NAME of its own")
    if name in SCENARIOS:
        raise ValueError(f"a scenario {name!r} is there already; the names are {', '.join(SCENARIOS)}")
    SCENARIOS[name] = kind
    return kind


def resolve_scenario(scenario: str | ScenarioParams | Mapping[str, Any]) -> ScenarioParams:
    """Parameters of a scenario given by name, by parameters, or by a mapping of what differs from its defaults.

    Args:
        scenario: a mapping's key `name` chooses the scenario, `paper` where it is missing.

    Raises:
        ValueError: an unknown name or key, or a value that the parameters refuse.
    """
    if isinstance(scenario, ScenarioParams):
        return scenario
    changes = dict(scenario) if isinstance(scenario, Mapping) else {"name": scenario}
    name = changes.pop("name", ScenarioParams.NAME)
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}; allowed: {', '.join(SCENARIOS)}, parameters or a mapping")
    params = SCENARIOS[name].Params
    allowed = [field.name for field in fields(params)]
    if unknown := [str(key) for key in changes if key not in allowed]:
        raise ValueError(f"unknown keys {', '.join(unknown)} of scenario {name}; allowed: {', '.join(allowed)}")
    return params(**changes)


def make_scenario(params: ScenarioParams, num_requests: int, num_draws: int, max_attempts: int) -> Scenario:
    """The processes that parameters describe, see `Scenario`."""
    return SCENARIOS[params.NAME](params, num_requests, num_draws, max_attempts)
