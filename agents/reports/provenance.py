"""What a report's numbers were made with: command, files and their fingerprints, libraries."""

from __future__ import annotations

import hashlib
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agents.policies.loading import ROOT_WEIGHTS
from agents.reports.description import describe_costs
from envs.transceiver.profile import SHIPPED_PROFILE

LIBRARIES = (
    "numpy",
    "scipy",
    "gymnasium",
    "torch",
    "stable-baselines3",
    "diffusers",
    "hydra-core",
    "matplotlib",
)
PROJECT = "semaigc"


def command_line(script: str, overrides: Sequence[str]) -> str:
    """What was typed, as a shell takes it."""
    return shlex.join(["python", script, *overrides])


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


def policy_files(policies: Mapping[str, str]) -> dict[str, Path]:
    """Label -> file of the policies that are read from one.

    Args:
        policies: label -> name or path.
    """
    files = {}
    for label, name in policies.items():
        path = ROOT_WEIGHTS if name == "root" else Path(name)
        path = path / "policy.zip" if path.is_dir() else path
        if path.is_file():
            files[label] = path
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
    measured_over = profile.fingerprint.get("channel", "unknown")
    return {
        "Quality profile": f"{config.env.profile or 'shipped'}{file}; {len(profile.requests)} requests, "
        f"{profile.draws(settings.receiver)} channel draws",
        "Measured with": "; ".join(f"{name} {value}" for name, value in profile.fingerprint.items()),
        "Receiver": settings.receiver,
        "Channel": measured_over if model.channel is None else model.channel.fingerprint,
        "Costs": describe_costs(model),
        "Rate of the link": settings.rate,
        "Fidelity": str(config.env.fidelity),
        "Acceptance": f"{settings.quality_metric} ≥ {settings.quality_min}, at most {settings.max_attempts} attempts, "
        f"{settings.deadline_s:g} s",
        "Session": f"{settings.episode_length} requests",
    }
