"""What is learned: the noise in a latent that the diffusion process and the channel have both disturbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from envs.channels.awgn import mean_power, noise_variance
from envs.transceiver.receivers import column
from envs.transceiver.schedule import Schedule
from envs.transceiver.train_embedded.losses import min_snr_weight
from envs.transceiver.transceiver import Transceiver
from envs.units import FloatArray

PERFECT_LINKS = 0.15
"""Share of the links without noise."""


@dataclass(frozen=True)
class Draws:
    """The random numbers of B samples.

    Attributes:
        timestep: diffusion timestep at which the latent is sent, int [B].
        snr_db: of the link, float64 [B]; infinite for a perfect one.
        noise: unit diffusion noise, [B, C, h, w].
        channel_noise: unit channel noise, [B, C, h, w].
        unsaid: whether the caption is left out, bool [B].
    """

    timestep: Tensor
    snr_db: FloatArray
    noise: Tensor
    channel_noise: Tensor
    unsaid: list[bool]

    @classmethod
    def from_generators(
        cls,
        generators: Sequence[torch.Generator],
        shape: Sequence[int],
        timesteps: int,
        snr_db: tuple[float, float] | None,
        unsaid: float,
    ) -> Draws:
        """Draw for B samples, each from its own generator.

        Args:
            generators: B streams.
            shape: of a latent.
            timesteps: trained ones; drawn uniformly.
            snr_db: range of the links, drawn uniformly; None is a perfect link for all.
            unsaid: share of captions that are left out.
        """
        low, high = snr_db or (np.inf, np.inf)
        timestep, level, noise, channel_noise, left_out = [], [], [], [], []
        for generator in generators:
            timestep.append(torch.randint(timesteps, (), generator=generator))
            perfect, where, silent = torch.rand(3, generator=generator, dtype=torch.float64).tolist()
            level.append(np.inf if snr_db is None or perfect < PERFECT_LINKS else low + (high - low) * where)
            noise.append(torch.randn(shape, generator=generator))
            channel_noise.append(torch.randn(shape, generator=generator))
            left_out.append(silent < unsaid)
        return cls(torch.stack(timestep), np.array(level), torch.stack(noise), torch.stack(channel_noise), left_out)


@dataclass(frozen=True)
class MatchedLatents:
    """Latents as a receiver meets them, on the diffusion process at a lower alpha_bar (SNR re-match).

    Attributes:
        latents: [B, C, h, w], sqrt(alpha_bar) clean + sqrt(1 - alpha_bar) noise.
        noise: [B, C, h, w] of unit variance, of the diffusion and of the channel together.
        alpha_bar: float64 [B].
        timestep: fractional, float64 [B], with that alpha_bar; clamped to the trained range.
    """

    latents: Tensor
    noise: Tensor
    alpha_bar: FloatArray
    timestep: FloatArray


def send_and_match(clean: Tensor, draws: Draws, schedule: Schedule) -> MatchedLatents:
    """Diffuse clean latents, send them, and rescale what arrives onto the diffusion process.

    With z_t = sqrt(alpha_bar) z0 + sqrt(1 - alpha_bar) eps of power P and sigma^2 = P 10^(-snr_db / 10),
    (z_t + sigma n) / sqrt(1 + sigma^2) lies at alpha_bar / (1 + sigma^2). Own derivation (SNR re-match).

    Args:
        clean: scaled latents float32 [B, C, h, w].
        draws: their random numbers.
        schedule: the shared schedule.
    """
    sent_at = draws.timestep.numpy().astype(np.float64)
    before = schedule.alpha_bar(sent_at)
    noise = column((1 - before) ** 0.5, clean) * draws.noise.to(clean)
    sent = column(before**0.5, clean) * clean + noise
    variance = noise_variance(mean_power(sent), draws.snr_db)
    channel_noise = column(variance**0.5, clean) * draws.channel_noise.to(clean)
    alpha_bar = before / (1 + variance)
    return MatchedLatents(
        (sent + channel_noise) / column((1 + variance) ** 0.5, clean),
        (noise + channel_noise) / column((1 - before + variance) ** 0.5, clean),
        alpha_bar,
        np.where(variance == 0, sent_at, schedule.timestep_of(alpha_bar)),
    )


class NoiseAwareLoss:
    """Error of a UNet's noise prediction on received latents of one's own images, with min-SNR weights.

    Deviation: SemAIGC (eq. 18 and III-C) learns the noise itself, unweighted; with the target "guided" the receiver
    learns the generator's guided prediction at the same point instead, so that it needs one forward a step.

    Args:
        transceiver: frozen networks, schedule and guidance.
        target: "guided" or "noise".
        snr_db: range of the links in dB; None for a generator, which meets no channel.
        unsaid: share of captions that are left out, for classifier-free guidance.
    """

    def __init__(
        self, transceiver: Transceiver, target: str, snr_db: tuple[float, float] | None, unsaid: float
    ) -> None:
        self.transceiver, self.target, self.snr_db, self.unsaid = transceiver, target, snr_db, unsaid

    def __call__(
        self, unet: nn.Module, pictures: Tensor, captions: Sequence[str], generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Mean loss of B samples.

        Args:
            unet: the network that is trained.
            pictures: [B, 3, H, W] in [0, 1].
            captions: B captions.
            generators: the stream of each sample.
        """
        live = self.transceiver
        clean = live.encode(pictures)
        timesteps = len(live.schedule.alphas_cumprod)
        draws = Draws.from_generators(generators, clean.shape[1:], timesteps, self.snr_db, self.unsaid)
        met = send_and_match(clean, draws, live.schedule)
        said = ["" if left_out else caption for caption, left_out in zip(captions, draws.unsaid, strict=True)]
        t = torch.as_tensor(met.timestep, dtype=torch.float32, device=clean.device)
        wanted = met.noise if self.target == "noise" else live.predictor("unet", True, said)(met.latents, t)
        output = unet(met.latents, t, live.embed(said).float(), return_dict=False)[0].float()
        error = live.as_noise(output, met.latents, t) - wanted
        return (min_snr_weight(column(met.alpha_bar, clean)) * error.square()).mean()
