"""What numbers were made with: weights, profile, channel and costs in one line; command, files, libraries."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from agents.policies.loading import policy_file
from envs.transceiver import SHIPPED_PROFILE, Acceptance

PROJECT = "semaigc"
NOISELESS = "none"
"""What stands for the channel where nothing noisy arrives."""
LIBRARIES = ("numpy", "scipy", "gymnasium", "torch", "stable-baselines3", "diffusers", "hydra-core", "matplotlib")


@dataclass(frozen=True)
class Source:
    """What a reader needs to make the report again.

    Attributes:
        command: as typed.
        facts: heading -> facts by name.
        configuration: the resolved one, as YAML.
        num_inference_steps: T of each scenario.
        notes: what was left out, a sentence each.
    """

    command: str
    facts: Mapping[str, Mapping[str, str]]
    configuration: str
    num_inference_steps: Mapping[str, int]
    notes: Sequence[str] = field(default_factory=tuple)


def script(name: str) -> str:
    """How `train.py` or `evaluate.py` is started from here: where it is not, by what is installed."""
    return f"python {name}" if Path(name).is_file() else f"python -m agents {Path(name).stem}"


def describe(config: DictConfig, environment: Any) -> str:
    """Weights, profile, what of it is served, receiver, channel, costs, link and acceptance in one line.

    Args:
        config: with the groups `env` and `devices`.
        environment: a vector environment made of it.
    """
    model = environment.model
    profile = model.profile
    measured_over, channel = _channels(model)
    planned = "" if channel in (measured_over, NOISELESS) else f" (planned with a profile of {measured_over})"
    parts = (
        f"weights {profile.fingerprint.get('weights', 'unknown')[:16]}",
        f"profile {config.env.profile or 'shipped'} ({_served(model)})",
        f"receiver {config.env.receiver}",
        f"channel {channel}{planned}",
        _costs(model),
        f"link {model.settings.link}",
        f"acceptance {model.settings.acceptance_rule}",
        f"fidelity {config.env.fidelity}",
    )
    return " · ".join(parts)


def _served(model: Any) -> str:
    """How many requests of which part of the profile are served, over how many channel draws, and T."""
    quality, part = model.quality, model.settings.requests
    requests = f"{quality.num_requests} requests" if part == "all" else f"{quality.num_requests} {part} requests"
    return f"{requests}, {quality.num_draws} draws, T = {model.num_inference_steps}"


def _channels(model: Any) -> tuple[str, str]:
    """The channel that the profile was measured over, and the one that quality is read for."""
    measured_over = model.profile.fingerprint.get("channel", "unknown")
    if not model.link.is_noisy:
        return measured_over, NOISELESS
    return measured_over, measured_over if model.channel is None else model.channel.fingerprint


def _costs(model: Any) -> str:
    """Where the seconds come from, and those of a step at either end; guidance is part of a step where it runs."""
    edge, user = model.costs.edge, model.costs.user
    return (
        f"costs {model.cost_source.name} ({edge.name}, {edge.module_s('unet'):.3g} s a step with its guidance, "
        f"to {user.name}, {user.module_s('finetune_unet'):.3g} s a receiver step)"
    )


def library_versions() -> dict[str, str]:
    """Name -> version of the project, Python and the libraries that have a part in the numbers."""
    found = {}
    for name in (PROJECT, *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {"Python": platform.python_version()} | found


def file_fingerprint(path: Path) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def policy_files(policies: Mapping[str, str], rule: Acceptance) -> dict[str, Path]:
    """Label -> file of the policies that are read from one.

    Args:
        policies: label -> name or path.
        rule: of acceptance, which chooses the shipped agent.
    """
    files = {}
    for label, name in policies.items():
        with suppress(ValueError):  # the name of a policy without a file
            files[label] = policy_file(name, rule)
    return files


def environment_facts(config: Any, environment: Any) -> dict[str, str]:
    """What an environment is made of, by name.

    Args:
        config: with the group `env`.
        environment: a vector environment made of it.
    """
    model = environment.model
    profile, settings = model.profile, model.settings
    path = SHIPPED_PROFILE if config.env.profile is None else Path(config.env.profile)
    file = f", file {file_fingerprint(path)}" if path.is_file() else ""
    return {
        "Quality profile": f"{config.env.profile or 'shipped'}{file}",
        "Served of it": _served(model),
        "Measured with": "; ".join(f"{name} {value}" for name, value in profile.fingerprint.items()),
        "Receiver": settings.receiver,
        "Channel": _channels(model)[1],
        "Costs": _costs(model),
        "Link": settings.link,
        "Fidelity": str(config.env.fidelity),
        "Acceptance": f"{settings.acceptance_rule}, at most {settings.max_attempts} attempts, "
        f"{settings.deadline_s:g} s",
        "Session": f"{settings.episode_length} requests",
    }
