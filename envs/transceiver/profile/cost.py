"""What measuring a quality profile costs, counted from the operations of Stable Diffusion v1-5. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envs.costs import counted_operations

UNET_FLOPS, VAE_DECODER_FLOPS = (counted_operations()[name].flops for name in ("unet", "vae_decoder"))
"""One forward of Stable Diffusion v1-5 at 64 x 64 latents, without guidance."""
A6000_FLOPS_PER_S = 2 * UNET_FLOPS / 0.200
"""What the authors of the SemAIGC paper get out of an RTX A6000: a guided step in 0.200 s."""
TARGET_FLOPS_PER_S = 100e12
"""A round figure for half precision on a recent GPU; divide by what yours sustains."""


@dataclass(frozen=True)
class ProfileCost:
    """Work of one profile.

    Attributes:
        forwards: of a UNet for one latent, guided steps counted twice.
        decodings: of a latent into an image.
    """

    forwards: int
    decodings: int

    def flops(self) -> float:
        """Floating-point operations, every receiver's network as large as the generator's."""
        return self.forwards * UNET_FLOPS + self.decodings * VAE_DECODER_FLOPS


def profile_cost(
    draws: Mapping[str, int], guided: Mapping[str, bool], requests: int, snrs: int, steps: int
) -> ProfileCost:
    """Work of a profile, from the trajectories that are shared by all cells of a request on.

    A cell at split s runs steps - s steps and a decoding. At split 0 nothing crosses the channel, and one run a
    request serves all SNRs and draws.

    Args:
        draws: channel draws of each receiver.
        guided: whether it runs two forwards a step.
        requests, snrs: axes of the profile.
        steps: T; splits are 0..T.
    """
    forwards, decodings = 2 * steps * requests, requests
    for name, count in draws.items():
        cells = requests * snrs * count
        taken = steps * requests + cells * steps * (steps - 1) // 2
        forwards += (2 if guided[name] else 1) * taken
        decodings += requests + cells * steps
    return ProfileCost(forwards, decodings)
