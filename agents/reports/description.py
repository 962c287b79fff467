"""The line above every report: which weights, profile, channel and costs its numbers come from."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig


def describe(config: DictConfig, environment: Any) -> str:
    """Weights, profile, channel, costs and receiver in one line.

    Args:
        config: with the groups `env` and `devices`.
        environment: a vector environment made of it.
    """
    model = environment.model
    profile = model.profile
    weights = profile.fingerprint.get("weights", "unknown")
    measured_over = profile.fingerprint.get("channel", "unknown")
    channel = measured_over if model.channel is None else model.channel.fingerprint
    parts = (
        f"weights {weights[:16]}",
        f"profile {config.env.profile or 'shipped'} ({len(profile.requests)} requests, "
        f"{profile.draws(config.env.receiver)} draws)",
        f"receiver {config.env.receiver}",
        f"channel {channel}" + ("" if channel == measured_over else f" (planned with a profile of {measured_over})"),
        f"costs {config.devices.name} ({config.devices.tx.name} to {config.devices.rx.name})",
        f"rate {model.settings.rate}",
        f"fidelity {config.env.fidelity}",
    )
    return " · ".join(parts)
