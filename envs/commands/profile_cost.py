"""What measuring a quality profile costs: `python -m envs.commands.profile_cost` (Hydra, configs/make_profile.yaml).

Counted from the operations of Stable Diffusion v1-5; nothing is loaded. Text encoder and judge are left out: a
ViT-L/14 that judges every image would add about 1 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import hydra
from omegaconf import DictConfig

from envs.command_line import CONFIGS, one_line_errors
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

    def flops(self, unet_flops: float = UNET_FLOPS, vae_decoder_flops: float = VAE_DECODER_FLOPS) -> float:
        """Floating-point operations, every receiver's network as large as the generator's."""
        return self.forwards * unet_flops + self.decodings * vae_decoder_flops


def profile_cost(
    draws: Mapping[str, int], guided: Mapping[str, bool], requests: int, snrs: int, steps: int, workers: int = 1
) -> ProfileCost:
    """Work of a profile, from the trajectories that are shared by all cells of a request on.

    A cell at split s runs steps - s steps and a decoding. At split 0 nothing crosses the channel, and one run a
    request serves all SNRs and draws.

    Args:
        draws: channel draws of each receiver.
        guided: whether it runs two forwards a step.
        requests, snrs: axes of the profile.
        steps: T; splits are 0..T.
        workers: processes, each of which makes the trajectories and the noise-free images itself.
    """
    forwards, decodings = 2 * steps * requests * workers, requests * workers
    for name, count in draws.items():
        cells = requests * snrs * count
        taken = steps * requests + cells * steps * (steps - 1) // 2
        forwards += (2 if guided[name] else 1) * taken
        decodings += requests + cells * steps
    return ProfileCost(forwards, decodings)


@hydra.main(config_path=str(CONFIGS), config_name="make_profile", version_base="1.3")
def main(config: DictConfig) -> None:
    """Print what the configured profile would cost with Stable Diffusion v1-5."""
    with one_line_errors():
        from envs.transceiver.receivers import receiver_named

        measured = config.measure
        draws = {str(name): int(count) for name, count in measured.receivers.items()}
        cost = profile_cost(
            draws,
            {name: receiver_named(name).guided for name in draws},
            measured.num_requests,
            len(measured.snr_db),
            measured.num_inference_steps,
            config.workers,
        )
        hours = {name: cost.flops() / rate / 3600 for name, rate in _RATES.items()}
        print(
            f"Stable Diffusion v1-5, {measured.num_requests} requests x {measured.num_inference_steps + 1} splits x "
            f"{len(measured.snr_db)} SNRs x draws {'/'.join(map(str, draws.values()))} of {'/'.join(draws)}: "
            f"{cost.forwards:,} UNet forwards and {cost.decodings:,} decodings, {cost.flops():.3g} FLOP; "
            + ", ".join(f"{value:.1f} GPU hours {name}" for name, value in hours.items())
        )


_RATES = {
    f"at {A6000_FLOPS_PER_S / 1e12:.1f} TFLOP/s (the paper's RTX A6000)": A6000_FLOPS_PER_S,
    f"at a sustained {TARGET_FLOPS_PER_S / 1e12:.0f} TFLOP/s": TARGET_FLOPS_PER_S,
}


if __name__ == "__main__":
    with one_line_errors():
        main()
