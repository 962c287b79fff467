"""Scenarios by the names of their configurations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from envs.command_line import CONFIGS


def scenario_configs(names: Sequence[str]) -> dict[str, DictConfig]:
    """Name -> the group `scenario` as `scenario=NAME` composes it.

    Raises:
        hydra.errors.MissingConfigException: a name without a file; the message of the command lists the others.
    """
    # Within a command the search path is the command's, which `--config-dir` may have extended.
    within = GlobalHydra.instance().is_initialized()
    with nullcontext() if within else initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return {name: compose(f"scenario/{name}").scenario for name in names}


def shipped_scenarios() -> list[str]:
    """Names of the scenarios in `configs/scenario`."""
    return sorted(file.stem for file in (CONFIGS / "scenario").glob("*.yaml"))


def name_of(scenario: DictConfig, chosen: str) -> str:
    """The name of a scenario that was chosen by name and may have been changed since."""
    return chosen if scenario == scenario_configs([chosen])[chosen] else f"{chosen}, changed"


def named(scenarios: Iterable[DictConfig]) -> dict[str, DictConfig]:
    """The different ones of some scenarios, under the names of the shipped ones that they are, or else numbered."""
    shipped = scenario_configs(shipped_scenarios())
    found: dict[str, DictConfig] = {}
    for scenario in scenarios:
        if scenario not in found.values():
            name = next((name for name, each in shipped.items() if each == scenario), f"scenario {len(found) + 1}")
            found[name] = scenario
    return found
