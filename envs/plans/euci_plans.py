"""EUCI, edge-user collaborative inference: the user starts, the edge finishes, decodes and sends the image.

`euci(k)`: text encoder at the edge, k steps at the user, latent sent to the edge, T - k steps and decoding there,
image sent back. The user runs the generator itself, so it must have its weights.

Source: the EUCI paper, algorithm 1 and figure 3; eq. 3 for what is sent. Its user-only and edge-only configurations
are `local_aigc` and `edge_aigc`.
Deviation: the paper sends the text vector and the initial noise from the edge to the user; here they are a prompt and
a seed on the control channel. It sends the UNet with every request; here that is the variant `weights="sent"`.
"""

from __future__ import annotations

from typing import Literal

from envs.checks import choice, integer
from envs.plans.plan import NUM_INFERENCE_STEPS, Compute, Plan, Stage, Transmit

Weights = Literal["held", "sent", "fetched"]

_BEFORE: dict[str, tuple[str, list[Stage]]] = {
    "held": ("euci", []),
    "sent": ("euci_unet_sent", [Transmit("edge", "user", "unet")]),
    "fetched": ("euci_cache_miss", [Transmit("cloud", "edge", "model"), Transmit("edge", "user", "unet")]),
}


def euci(split: int, num_inference_steps: int = NUM_INFERENCE_STEPS, weights: Weights = "held") -> Plan:
    """EUCI: `split` steps at the user, then the rest at the edge (1 <= split <= num_inference_steps).

    Args:
        split: steps before the hand-over, the paper's t.
        num_inference_steps: T.
        weights: `held`: user and edge have the model; `sent`: the edge sends the UNet to the user first (the
            scheduler beside it is a few numbers); `fetched`: the edge has no model either, and gets a whole one
            from the cloud.

    Raises:
        ValueError: a split outside that range, no step at all, or unknown weights.
    """
    choice("weights", weights, _BEFORE)
    name, before = _BEFORE[weights]
    total = integer("num_inference_steps", num_inference_steps, 1)
    split = integer("split", split, 1, total)
    stages = [*before, Compute("edge", "text_encoder"), Compute("user", "unet", split)]
    stages.append(Transmit("user", "edge", "latent"))
    if split < total:
        stages.append(Compute("edge", "unet", total - split))
    stages += [Compute("edge", "vae_decoder"), Transmit("edge", "user", "image")]
    return Plan(f"{name}({split})", tuple(stages))
