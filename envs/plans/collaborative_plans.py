"""Collaborative distributed diffusion: users with similar prompts share the first steps and finish by themselves.

| plan for `users` users, T steps each | shared steps at | latent sent to |
|---|---|---|
| `edge_to_devices(shared, users)` | the edge | every user |
| `cluster(shared, users)` | one user's device | the other users |
| `device_to_device(shared)` | one of two devices | the other one |

The shared steps take the prompt of one of the users; each then encodes its own prompt and takes T - shared steps of
its own. The price is that of all users together, until the last has its image: the latent goes to one after the
other, and the devices, equal ones, work side by side.

Source: the paper of Du et al., "Wireless network architecture" and steps 4 and 5 of the approach. A cluster that an
edge server helps with the shared steps is `edge_to_devices`.
"""

from __future__ import annotations

from envs.checks import integer
from envs.plans.plan import NUM_INFERENCE_STEPS, Compute, Plan, Stage, Transmit


def edge_to_devices(shared: int, users: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """`shared` steps at the edge, then each of `users` users goes on by itself.

    Raises:
        ValueError: shared steps outside 1..T-1, no user, or no step at all.
    """
    users = integer("users", users, 1)
    rest = _rest(shared, num_inference_steps)
    stages: list[Stage] = [
        Compute("edge", "text_encoder"),
        Compute("edge", "unet", shared),
        Transmit("edge", "user", "latent", copies=users),
        Compute("user", "text_encoder", nodes=users),
        *_finish(rest, users),
    ]
    return Plan(f"edge_to_devices({shared},{users})", tuple(stages), requests=users)


def cluster(shared: int, users: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """`shared` steps at one of `users` users, then all go on by themselves.

    Raises:
        ValueError: shared steps outside 1..T-1, fewer than two users, or no step at all.
    """
    users = integer("users", users, 2)
    return Plan(f"cluster({shared},{users})", _in_a_cluster(shared, users, num_inference_steps), requests=users)


def device_to_device(shared: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """`shared` steps at one of two users, then both go on by themselves.

    Raises:
        ValueError: shared steps outside 1..T-1, or no step at all.
    """
    return Plan(f"device_to_device({shared})", _in_a_cluster(shared, 2, num_inference_steps), requests=2)


def _in_a_cluster(shared: int, users: int, num_inference_steps: int) -> tuple[Stage, ...]:
    rest = _rest(shared, num_inference_steps)
    return (
        Compute("user", "text_encoder"),
        Compute("user", "unet", shared),
        Transmit("user", "user", "latent", copies=users - 1),
        Compute("user", "text_encoder", nodes=users - 1),
        *_finish(rest, users),
    )


def _finish(steps: int, users: int) -> tuple[Stage, ...]:
    return Compute("user", "unet", steps, nodes=users), Compute("user", "vae_decoder", nodes=users)


def _rest(shared: int, num_inference_steps: int) -> int:
    total = integer("num_inference_steps", num_inference_steps, 1)
    return total - integer("shared", shared, 1, total - 1)
