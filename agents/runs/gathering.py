"""The training runs below a folder, in groups that differ in their configurations; seeds are runs of one group."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from agents.runs.folders import RunFolder
from envs.command_line import flatten, plain

SHAPING = ("agent", "env", "scenario", "channel", "devices", "costs", "total_requests", "num_envs")
"""Keys that shape the policy of a run, but for the seed, which distinguishes the runs of a group."""

_UNSET = "unset"


@dataclass(frozen=True)
class GatheredRun:
    """One training run.

    Attributes:
        name: its folder, relative to the one that was searched.
        group: what it is called in the report, shared by the runs that differ in their seeds only.
        seed: of its training.
        config: its configuration.
        policy_file: its trained agent.
    """

    name: str
    group: str
    seed: int
    config: DictConfig
    policy_file: Path


def gather(folder: Path, *, by_scenario: bool) -> tuple[list[GatheredRun], list[str]]:
    """Find and group the finished training runs below a folder; itself one of them counts too.

    Args:
        folder: searched with all folders in it.
        by_scenario: whether runs that were trained in different scenarios are different groups.

    Returns:
        The runs in the order of group and seed, and one sentence for each that cannot be used.

    Raises:
        ValueError: no such folder, or none of its runs can be used.
    """
    if not folder.is_dir():
        raise ValueError(f"runs must be a folder with training runs, there is no folder {str(folder)!r}")
    found: list[tuple[str, RunFolder, DictConfig]] = []
    left_out: list[str] = []
    for path in sorted(path.parent for path in folder.rglob("config.yaml")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        name = path.relative_to(folder).as_posix() if path != folder else folder.resolve().name
        try:
            found.append((name, RunFolder(path), _usable(RunFolder(path))))
        except ValueError as error:
            left_out.append(f"run {name} is left out: {error}")
    if not found:
        why = f"; {'; '.join(left_out)}" if left_out else ": none of its folders has a config.yaml"
        raise ValueError(f"{folder} holds no finished training run{why}")
    shaping = [key for key in SHAPING if by_scenario or key != "scenario"]
    groups = group_labels([plain({key: config[key] for key in shaping if key in config}) for _, _, config in found])
    runs: dict[tuple[str, int, str], GatheredRun] = {}
    for (name, run, config), group in zip(found, groups, strict=True):
        key = group, int(config.seed), str(plain(config.scenario))
        if key in runs:
            left_out.append(f"run {name} is left out: {runs[key].name} is the same configuration with the same seed")
        else:
            runs[key] = GatheredRun(name, group, key[1], config, run.policy_file)
    return sorted(runs.values(), key=lambda run: (groups.index(run.group), run.seed, run.name)), left_out


def group_labels(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """A label for each configuration: the agent, and each key whose value is not the same in all that have its agent.

    Keys outside the agent are compared over all configurations. What has one label has one configuration.
    """
    flat = [{key: str(value) for key, value in flatten(config).items()} for config in configs]
    keys = dict.fromkeys(key for own in flat for key in own if key != "agent.name")
    labels = []
    for own in flat:
        alike = [other for other in flat if other.get("agent.name") == own.get("agent.name")]
        label = [f"agent={own.get('agent.name', _UNSET)}"]
        for key in keys:
            others = alike if key.startswith("agent.") else flat
            if len({other.get(key, _UNSET) for other in others}) > 1:
                label.append(f"{key.removeprefix('agent.')}={own.get(key, _UNSET)}")
        labels.append(", ".join(label))
    return labels


def _usable(run: RunFolder) -> DictConfig:
    """The configuration of a run with a policy.

    Raises:
        ValueError: what is missing.
    """
    try:
        config = run.load_config()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"its {run.config_file.name} is cut short or not a configuration") from error
    missing = [key for key in ("agent", "seed", "scenario", "env") if key not in config]
    if missing:
        raise ValueError(f"its configuration is not one of train.py: {', '.join(missing)} missing")
    if not run.policy_file.is_file():
        raise ValueError(f"it holds no {run.policy_file.name}, its training did not end")
    if not zipfile.is_zipfile(run.policy_file):
        raise ValueError(f"its {run.policy_file.name} is cut short or not a policy")
    return config
