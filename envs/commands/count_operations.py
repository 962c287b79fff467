"""Count the operations of the published architectures: `python -m envs.commands.count_operations`.

Writes `envs/costs/operations.json`, which `costs=flops` reads. Nothing is downloaded: the networks are built
without weights on the meta device. An addition and a multiplication are two operations; convolutions, matrix
products and attention are counted (torch's FlopCounterMode), elementwise work is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from tqdm import tqdm

from envs.costs.operations import FILE, LIGHT_MODELS, Operations
from envs.files import whole_file
from envs.transceiver.model import flops as published
from envs.transceiver.model.flops import counted_flops


def count(call: Callable[[], object], network: nn.Module) -> Operations:
    """Operations of a call, and the parameters of the network that it runs."""
    return Operations(counted_flops(call), sum(parameter.numel() for parameter in network.parameters()))


def count_unet(light: str | None = None) -> Operations:
    """One forward of the generator's UNet, or of a light one, for one latent: without the second one of guidance."""
    network = published.unet(light)
    latents = _meta(1, published.LATENT_CHANNELS, published.LATENT_SIZE, published.LATENT_SIZE)
    text = _meta(1, published.PROMPT_TOKENS, published.UNET["cross_attention_dim"])
    return count(lambda: network(latents, _meta(1), text), network)


def count_vae_decoder() -> Operations:
    """Decoding one latent; parameters of the whole VAE."""
    network = published.vae()
    latents = _meta(1, published.LATENT_CHANNELS, published.LATENT_SIZE, published.LATENT_SIZE)
    return count(lambda: network.decode(latents), network)


def count_vae_encoder() -> Operations:
    """Encoding one image; parameters of the whole VAE."""
    network = published.vae()
    return count(lambda: network.encode(_meta(1, 3, published.IMAGE_SIZE, published.IMAGE_SIZE)), network)


def count_text_encoder() -> Operations:
    """Encoding one prompt."""
    network = published.text_encoder()
    return count(lambda: network(_meta(1, published.PROMPT_TOKENS, dtype=torch.long)), network)


COUNTERS: dict[str, Callable[[], Operations]] = {
    "text_encoder": count_text_encoder,
    "unet": count_unet,
    "vae_decoder": count_vae_decoder,
    "vae_encoder": count_vae_encoder,
    **{name: partial(count_unet, name) for name in LIGHT_MODELS},
}
"""What is counted, by its name in the file."""


def main() -> None:
    """Count everything and write the file."""
    bar = tqdm(COUNTERS.items(), desc="operations", unit="network")
    counted = {name: vars(counter()) for name, counter in bar}
    with whole_file(FILE) as partial:
        partial.write_text(json.dumps(counted, indent=2) + "\n", encoding="utf-8")
    for name, operations in counted.items():
        print(f"{name:13s} {operations['flops'] / 1e9:8.1f} GFLOP  {operations['parameters'] / 1e6:6.1f} M parameters")


def _meta(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.empty(*shape, dtype=dtype, device="meta")


if __name__ == "__main__":
    main()
