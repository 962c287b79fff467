"""The transceiver that a configuration names, if it is the one that the profile was measured with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.runs.settings import check_keys, plain
from envs.transceiver import ModelOptions
from envs.transceiver.options import on_hub

REQUIRED = ("path", "guidance_scale", "device")


def check_transceiver(config: DictConfig) -> None:
    """Refuse a transceiver that cannot be there, without loading anything.

    Raises:
        ValueError: unknown keys of the group, or a folder that does not exist.
    """
    options = ModelOptions.__dataclass_fields__
    check_keys("transceiver", {**dict.fromkeys(options), **config}, [*REQUIRED, *options])
    allowed = "must be a folder with weights, hub:owner/name or null"
    if OmegaConf.is_missing(config, "path"):
        raise ValueError(f"transceiver.path {allowed}, nothing was given")
    if config.path is not None and not on_hub(config.path) and not Path(config.path).expanduser().is_dir():
        raise ValueError(f"transceiver.path {allowed}, got {str(config.path)!r}")
    try:
        ModelOptions.of(plain(config, exclude=REQUIRED))
    except ValueError as error:
        raise ValueError(f"transceiver: {error}") from error


def matching_transceiver(config: DictConfig, profile: Any, channel: Any) -> Any:
    """Load the transceiver; torch and diffusers are imported here.

    Args:
        config: the group `transceiver`.
        profile: the measured profile whose requests it will serve.
        channel: the link, as the environment takes it; not necessarily the profile's.

    Raises:
        ValueError: no weights, or other weights than the profile was measured with.
    """
    from envs.transceiver import load_transceiver

    transceiver = load_transceiver(**plain(config), num_inference_steps=profile.num_inference_steps, channel=channel)
    profile.check_measured_with({k: v for k, v in transceiver.fingerprint.items() if k != "channel"})
    return transceiver
