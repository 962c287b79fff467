"""The split diffusion transceiver: it executes plans over a channel, at the edge and at the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from envs.channels import ChannelChoice, make_channel
from envs.channels.noise import stream, unit_noise
from envs.plans import Plan, Transmit, semaigc
from envs.transceiver.execute import Execution, check_requests, executable
from envs.transceiver.items import Image, Item, Latent
from envs.transceiver.model.components import Components
from envs.transceiver.model.folders import DEFAULT_GUIDANCE_SCALE, sampler
from envs.transceiver.model.vocabulary import known_words, token_ids
from envs.transceiver.receivers import Predict, column, ddim, receiver_named
from envs.transceiver.schedule import Schedule
from envs.transceiver.steps import guided, to_noise
from envs.units import FloatArray

CHANNEL_STREAM = 1
DECODE_BATCH = 8
"""Latents decoded at once: on a CPU the activations of more fall out of the cache and take several times longer."""


@dataclass(frozen=True)
class Delivery:
    """What B requests got.

    Attributes:
        images: float32 [B, 3, H, W] in [0, 1].
        latents_sent: [B, C, h, w] as they were handed over; where none is, the initial noise, which is not sent.
        latents_received: [B, C, h, w] as the channel gave them, before any rescaling.
        noise_variance: channel noise per real element, float64 [B].
        channel_uses: complex symbols on the link (see `envs.channels.Received`), float64 [B].
        sent: payload -> bytes that really crossed the wireless link, all requests together: a latent of 8 bits an
            element, an image of 24 bits a pixel, or the files of a codec.
        alignment: how well each image shows its prompt, float32 [B]; None without anything that judges it.
    """

    images: Tensor
    latents_sent: Tensor
    latents_received: Tensor
    noise_variance: FloatArray
    channel_uses: FloatArray
    sent: Mapping[str, int]
    alignment: Tensor | None = None


class Transceiver:
    """Runs requests through the edge, the channel and the user's device.

    Args:
        components: the networks.
        num_inference_steps: T, shared by both ends.
        guidance_scale: classifier-free guidance; None takes the model's own.
        channel: the link, see `envs.channels.make_channel`.

    Raises:
        ValueError: T or guidance out of range, or an unknown channel.
    """

    def __init__(
        self,
        components: Components,
        num_inference_steps: int = 20,
        guidance_scale: float | None = None,
        channel: ChannelChoice = "awgn",
    ) -> None:
        self.components = components
        self.channel = make_channel(channel)
        self.schedule = Schedule.from_scheduler(components.scheduler, num_inference_steps)
        if guidance_scale is None:
            guidance_scale = components.guidance_scale or DEFAULT_GUIDANCE_SCALE
        if not 1 <= guidance_scale < float("inf"):
            raise ValueError(f"guidance_scale must be finite and >= 1, got {guidance_scale}")
        self.guidance_scale = float(guidance_scale)
        self.device = components.unet.device

    @property
    def num_inference_steps(self) -> int:
        """T."""
        return self.schedule.num_inference_steps

    def with_steps(self, num_inference_steps: int) -> Transceiver:
        """The same networks with another T."""
        if num_inference_steps == self.num_inference_steps:
            return self
        return Transceiver(self.components, num_inference_steps, self.guidance_scale, self.channel)

    @property
    def fingerprint(self) -> dict[str, str]:
        """What a measured profile depends on besides its axes: weights, sampler and channel."""
        return {
            "weights": self.components.fingerprint,
            "sampler": sampler(self.num_inference_steps, self.guidance_scale),
            "channel": self.channel.fingerprint,
        }

    def execute(
        self,
        plan: Plan | str,
        *,
        prompts: Sequence[str],
        seeds: Sequence[int],
        snr_db: float | Sequence[float] | None = None,
        receiver: str = "finetuned",
        channel_seeds: Sequence[int] | None = None,
        image: Tensor | None = None,
        strength: float = 0.8,
    ) -> Delivery:
        """Run B requests by any plan of known modules, stage by stage; see `envs.transceiver.execute`.

        Args:
            plan: a plan, or its name (`envs.plans.expand`). It takes its own number of steps, whatever T is.
            prompts: B prompts.
            seeds: B seeds of the initial noise.
            snr_db: SNR of the link in dB, one or B; None is a perfect link.
            receiver: a name of `receivers.RECEIVERS`: what the fine-tuning network of a plan stands for.
            channel_seeds: B seeds of the channel noise (0 by default): other draws of the same requests.
            image: [B, 3, H, W] in [0, 1] to start from (image-to-image); None starts from noise.
            strength: share of the T steps that an image-to-image request runs, (0, 1].

        Returns:
            The delivered images and what crossed the link.

        Raises:
            ValueError: a plan that cannot be executed yet; lengths that differ, an SNR that is not finite, an unknown
                receiver, or one whose network is not loaded.
        """
        chosen = executable(plan, self.num_inference_steps)
        check_requests(prompts, seeds, snr_db, channel_seeds)
        receiver_named(receiver)
        own = self.with_steps(chosen.num_inference_steps)
        latents = own.initial_latents(seeds)
        step = 0
        if image is not None:
            step = own._start_of(strength, chosen)
            latents = own._noised(image, latents, step)
        start = Latent(latents, step, None, own.schedule.fingerprint, begun=step)
        execution = Execution(own, prompts, seeds, snr_db, receiver, channel_seeds, start)
        out = own._delivered(execution, execution.run(chosen.stages))
        judge = self.components.judge
        return out if judge is None else replace(out, alignment=judge.alignment(out.images, prompts))

    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        split: int,
        snr_db: float | Sequence[float] | None = None,
        receiver: str = "rematch",
        channel_seeds: Sequence[int] | None = None,
        image: Tensor | None = None,
        strength: float = 0.8,
    ) -> Delivery:
        """Generate an image for every request by `semaigc(split)`; see `execute`.

        Args:
            split: steps at the edge, 0..T. At 0 prompt and seed reach the user without error, who does everything; at T
                the received latent is decoded as it is.
            prompts, seeds, snr_db, receiver, channel_seeds, image, strength: as for `execute`.

        Raises:
            ValueError: as `execute`, or a split outside 0..T.
        """
        plan = semaigc(split, self.num_inference_steps)
        return self.execute(
            plan,
            prompts=prompts,
            seeds=seeds,
            snr_db=snr_db,
            receiver=receiver,
            channel_seeds=channel_seeds,
            image=image,
            strength=strength,
        )

    def deliver(
        self,
        sent: Tensor,
        prompts: Sequence[str],
        seeds: Sequence[int],
        split: int,
        snr_db: float | Sequence[float] | None,
        receiver: str,
        channel_seeds: Sequence[int] | None = None,
        codec: str | None = None,
    ) -> Delivery:
        """Go on with `semaigc(split)` where the edge is done: link, receiver, decoder; the images are not judged.

        Args:
            sent: [B, C, h, w], the generator's states after `split` steps.
            prompts, seeds, split, snr_db, receiver, channel_seeds: as for `generate`, which checks them.
            codec: of the latent (`envs.plans.codecs`), which then meets no noise but that of its own.
        """
        plan = semaigc(split, self.num_inference_steps)
        stages = [
            replace(stage, codec=codec) if isinstance(stage, Transmit) else stage
            for stage in plan.stages[plan.attempt_start :]
        ]
        start = Latent(sent, split, None, self.schedule.fingerprint)
        execution = Execution(self, prompts, seeds, snr_db, receiver, channel_seeds, start, split)
        return self._delivered(execution, execution.run(stages))

    def _delivered(self, execution: Execution, item: Item | None) -> Delivery:
        if not isinstance(item, Image):
            raise ValueError(f"the plan must end with an image at the user, got {item!r}")
        sent, received = execution.handed_over
        return Delivery(
            images=item.pixels,
            latents_sent=sent.values,
            latents_received=received.values,
            noise_variance=received.variance,
            channel_uses=execution.channel_uses,
            sent=dict(execution.sent),
        )

    def steps(self, latents: Tensor, predict: Predict, start: int, stop: int) -> Iterator[Tensor]:
        """The generator's states after each of the steps start..stop - 1, over a perfect link."""
        grid = np.tile(self.schedule.timesteps[start:], (len(latents), 1))
        return islice(ddim(predict, self.schedule, latents, grid), max(0, stop - start))

    def trajectory(self, prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
        """All states of the unsplit generator, [T + 1, B, C, h, w]; entry k is what split k hands over."""
        latents = self.initial_latents(seeds)
        predict = self.predictor("unet", True, prompts)
        return torch.stack([latents, *self.steps(latents, predict, 0, self.num_inference_steps)])

    def predictor(self, network: str, is_guided: bool, prompts: Sequence[str]) -> Predict:
        """The noise prediction of a network for B prompts, guided (two forwards in one) or not."""
        unet = self.components.network(network)
        if not is_guided or self.guidance_scale == 1:
            text = self.embed(prompts).to(unet.dtype)
            return lambda z, t: self.as_noise(_forward(unet, z, t, text).sample.float(), z, t)
        twice = self.components.guided_network(network)
        with torch.no_grad():
            texts = twice.conditions(self.embed([""] * len(prompts) + list(prompts)).to(unet.dtype))

        def predict(z: Tensor, t: Tensor) -> Tensor:
            unconditional, conditional = _forward(twice, z, t, texts).float().chunk(2)
            return self.as_noise(guided(unconditional, conditional, self.guidance_scale), z, t)

        return predict

    def as_noise(self, output: Tensor, z: Tensor, t: Tensor) -> Tensor:
        """The noise [B, C, h, w] that a UNet's output for latents `z` at timesteps `t` [B] stands for."""
        prediction = self.components.scheduler.config.prediction_type
        if prediction == "epsilon":
            return output
        return to_noise(prediction, output, z, column(self.schedule.alpha_bar(t.cpu().numpy()), z))

    @torch.no_grad()
    def embed(self, prompts: Sequence[str]) -> Tensor:
        """Text embeddings [B, L, D]; words that the model does not know are left out with a warning."""
        tokenizer = self.components.tokenizer
        unique = list(dict.fromkeys(prompts))
        ids = token_ids(tokenizer, known_words(tokenizer, unique))
        embeddings = self.components.text_encoder(ids.to(self.device))[0]
        rows = {prompt: row for row, prompt in enumerate(unique)}
        return embeddings[[rows[prompt] for prompt in prompts]]

    def initial_latents(self, seeds: Sequence[int]) -> Tensor:
        """The initial noise of each request, [B, C, h, w], from its own generator."""
        generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
        like = torch.empty(0, *self.components.latent_shape, device=self.device)
        return unit_noise(generators, like).contiguous(memory_format=torch.channels_last)

    def channel_streams(
        self, seeds: Sequence[int], channel_seeds: Sequence[int], crossing: int = 0
    ) -> list[torch.Generator]:
        """The randomness of the link of each request, draw and crossing; the same at every SNR and split."""
        again = (crossing,) if crossing else ()
        pairs = zip(seeds, channel_seeds, strict=True)
        return [stream(int(seed), CHANNEL_STREAM, int(draw), *again) for seed, draw in pairs]

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Pictures float32 [B, 3, H, W] in [0, 1] of clean latents."""
        vae = self.components.vae
        scaled = (latents / vae.config.scaling_factor).to(vae.dtype)
        parts = [vae.decode(part).sample for part in scaled.split(DECODE_BATCH)]
        return (torch.cat(parts).float() * 0.5 + 0.5).clamp(0, 1)

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Clean latents float32 [B, C, h, w] of pictures [B, 3, H, W] in [0, 1]: the posterior's mean."""
        vae = self.components.vae
        pictures = (images.to(self.device) * 2 - 1).to(vae.dtype)
        return vae.encode(pictures).latent_dist.mean.float() * vae.config.scaling_factor

    def _start_of(self, strength: float, plan: Plan) -> int:
        if not 0 < strength <= 1:
            raise ValueError(f"strength must be in (0, 1], got {strength}")
        start, split = self.num_inference_steps - max(1, int(strength * self.num_inference_steps)), plan.handover_step
        if split is not None and split < start:
            raise ValueError(
                f"split must be in {start}..{self.num_inference_steps} at strength {strength}, got {split}"
            )
        return start

    @torch.no_grad()
    def _noised(self, image: Tensor, noise: Tensor, start: int) -> Tensor:
        if image.shape[0] != noise.shape[0] or image.ndim != 4:
            raise ValueError(f"image must be [{len(noise)}, 3, H, W], got {list(image.shape)}")
        clean = self.encode(image)
        if clean.shape != noise.shape:
            raise ValueError(f"image gives latents {list(clean.shape[1:])}, the model works on {list(noise.shape[1:])}")
        alpha_bar = float(self.schedule.alpha_bar(self.schedule.timesteps[start]))
        return alpha_bar**0.5 * clean + (1 - alpha_bar) ** 0.5 * noise


@torch.no_grad()
def _forward(network: Any, z: Tensor, t: Tensor, texts: Tensor | list[Tensor]) -> Any:
    return network(z.to(texts[0].dtype), t, texts)
