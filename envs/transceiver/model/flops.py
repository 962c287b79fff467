"""Floating-point operations of networks, counted on the meta device and not estimated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from envs.costs import Operations
from envs.transceiver.model.components import Components
from envs.transceiver.receivers import receiver_named

Network = TypeVar("Network", bound=nn.Module)


def count(build: Callable[[], Network], run: Callable[[Network], object]) -> Operations:
    """Operations of a run of a network, and its parameters.

    Network and tensors are made on the meta device: on a real one fused attention is missed.
    """
    with torch.device("meta"), torch.no_grad():
        network = build()
        with FlopCounterMode(display=False) as counter:
            run(network)
    return Operations(counter.get_total_flops(), sum(parameter.numel() for parameter in network.parameters()))


def forward_flops(components: Components, network: str) -> int:
    """FLOPs of one forward of a denoising network for one latent.

    Args:
        network: a name of `options.UNETS`.

    Raises:
        ValueError: the model lacks it.
    """
    unet = components.network(network)
    text = 1, components.tokenizer.model_max_length, unet.config.cross_attention_dim

    def denoise(twin: nn.Module) -> object:
        return twin(torch.zeros(1, *components.latent_shape), torch.zeros(1, dtype=torch.long), torch.zeros(text))

    return count(lambda: type(unet).from_config(unet.config), denoise).flops


def receiver_step_flops(components: Components, receiver: str) -> int:
    """FLOPs of one step of a receiver for one latent: two forwards where it is guided."""
    spec = receiver_named(receiver)
    return forward_flops(components, spec.network) * (2 if spec.guided else 1)
