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
        f"{model.quality.num_draws} draws)",
        f"receiver {config.env.receiver}",
        f"channel {channel}" + ("" if channel == measured_over else f" (planned with a profile of {measured_over})"),
        describe_costs(model),
        f"rate {model.settings.rate}",
        f"fidelity {config.env.fidelity}",
    )
    return " · ".join(parts)


def describe_costs(model: Any) -> str:
    """Where the seconds come from, and those of a step at either end; guidance is part of a step where it runs."""
    edge, user = model.costs.edge, model.costs.user
    step_s, finetune_step_s = edge.module_s("unet"), user.module_s("finetune_unet")
    return (
        f"costs {model.cost_source.name} ({edge.name}, {step_s:.3g} s a step with its guidance, "
        f"to {user.name}, {finetune_step_s:.3g} s a receiver step)"
    )
