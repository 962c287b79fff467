"""Floating-point operations of the loaded networks, counted on the meta device and not estimated."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from envs.transceiver.model.components import Components
from envs.transceiver.receivers import receiver_named


def counted_flops(call: Callable[[], object]) -> int:
    """FLOPs of a call whose networks and tensors lie on the meta device: on real ones fused attention is missed."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return int(counter.get_total_flops())


def forward_flops(components: Components, network: str) -> int:
    """FLOPs of one forward of a denoising network for one latent, counted on the meta device.

    Args:
        network: "unet", "light_unet" or "finetune_unet".

    Raises:
        ValueError: the model lacks it.
    """
    unet = components.network(network)
    with torch.device("meta"):
        twin = type(unet).from_config(unet.config)
        shape = components.latent_shape
        context = torch.zeros(1, components.tokenizer.model_max_length, unet.config.cross_attention_dim)
        return counted_flops(lambda: twin(torch.zeros(1, *shape), torch.zeros(1, dtype=torch.long), context))


def receiver_step_flops(components: Components, receiver: str) -> int:
    """FLOPs of one step of a receiver for one latent: two forwards where it is guided."""
    spec = receiver_named(receiver)
    return forward_flops(components, spec.network) * (2 if spec.guided else 1)
