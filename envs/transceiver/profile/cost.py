"""What measuring a quality profile costs, counted from the operations of Stable Diffusion v1-5."""

from __future__ import annotations

from dataclasses import dataclass

from envs.costs import counted_operations
from envs.transceiver.profile.files import tables_of
from envs.transceiver.profile.settings import MeasureParams, snrs_measured
from envs.transceiver.receivers import LIGHT, receiver_named

UNET_FLOPS, LIGHT_UNET_FLOPS, VAE_DECODER_FLOPS = (
    counted_operations()[name].flops for name in ("unet", "bk_sdm_small", "vae_decoder")
)
"""One forward of Stable Diffusion v1-5 at 64 x 64 latents, without guidance."""
A6000_FLOPS_PER_S = 2 * UNET_FLOPS / 0.200
"""What the authors of the SemAIGC paper get out of an RTX A6000: a guided step in 0.200 s."""
TARGET_FLOPS_PER_S = 100e12
"""A round figure for half precision on a recent GPU; divide by what yours sustains."""


@dataclass(frozen=True)
class ProfileCost:
    """Work of one profile.

    Attributes:
        forwards: of the generator's UNet, or one as large, for one latent; guided steps counted twice.
        light_forwards: of a light UNet (BK-SDM small), likewise.
        decodings: of a latent into an image.
    """

    forwards: int = 0
    light_forwards: int = 0
    decodings: int = 0

    def __add__(self, other: ProfileCost) -> ProfileCost:
        return ProfileCost(
            self.forwards + other.forwards,
            self.light_forwards + other.light_forwards,
            self.decodings + other.decodings,
        )

    def flops(self) -> float:
        """Floating-point operations."""
        light = self.light_forwards * LIGHT_UNET_FLOPS
        return self.forwards * UNET_FLOPS + light + self.decodings * VAE_DECODER_FLOPS


def profile_cost(params: MeasureParams) -> ProfileCost:
    """Work of a profile, from the trajectories that are shared by all cells of a request on.

    A hand-over at split s runs T - s steps and a decoding. Where SNRs are searched, their number is what the embedded
    model's shipped profile took (`SEARCHED_SNRS`).
    """
    total, levels = ProfileCost(), snrs_measured(params)
    for part, asked in params.requests.items():
        for steps in dict.fromkeys(key.num_inference_steps for key in tables_of(params)):
            total += ProfileCost(2 * steps * asked, 0, asked)
        for name, axes in params.receivers.items():
            spec, links = receiver_named(name), 1 + axes.draws * levels + len(axes.codecs)
            for steps in axes.num_inference_steps:
                count = params.count(name, part)
                forwards = round((2 if spec.guided else 1) * count * (steps + links * steps * (steps - 1) / 2))
                own = (0, forwards) if spec.network in LIGHT else (forwards, 0)
                total += ProfileCost(*own, round(count * (1 + links * steps)))
            for steps in axes.local_steps:
                forwards = (2 if spec.guided else 1) * asked * steps
                total += ProfileCost(*((0, forwards) if spec.network in LIGHT else (forwards, 0)), asked)
    return total
