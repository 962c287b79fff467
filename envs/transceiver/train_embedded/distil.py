"""Fine-tuning of the receiver's light UNet on the edge's own guided, noisy partial trajectories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from envs.channels.awgn import mean_power, noise_variance
from envs.transceiver.model.components import Components
from envs.transceiver.scenes.scenes import SEEN_SCENES
from envs.transceiver.schedule import Schedule
from envs.transceiver.steps import guided
from envs.transceiver.train_embedded.data import write_array
from envs.transceiver.train_embedded.losses import CaptionTable, leave_unsaid, min_snr_weight
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    from envs.transceiver.train_embedded.parts import ModelParts

PERFECT_LINKS = 0.15
"""Share of the fine-tuning's links without noise."""


def record_trajectories(training: ModelParts) -> None:
    """Store the generator's states over all splits for requests of seen combinations.

    Writes `trajectories.npy` float16 [N, T + 1, C, h, w] and `trajectories.labels.npy` int64 [N, 3]. Parts that
    were recorded before an interruption are kept.
    """
    from envs.transceiver.scenes.scenes import labels_of

    config, folder = training.config.trajectories, training.folder
    if (folder / "trajectories.npy").exists():
        return
    text_encoder = training.trained_text_encoder()
    components = Components(training.generator(), training.vae(), text_encoder, training.tokenizer, training.scheduler)
    sampling = training.config.sampling
    transceiver = Transceiver(components, sampling.num_inference_steps, sampling.guidance_scale)
    rng = np.random.default_rng(training.config.seed + 5)
    scenes = [SEEN_SCENES[i] for i in rng.integers(len(SEEN_SCENES), size=config.count)]
    seeds = [int(seed) for seed in rng.integers(2**31, 2**32, size=config.count)]
    parts = []
    for start in tqdm(range(0, config.count, config.batch_size), desc="trajectories"):
        part = folder / f"trajectories.{start:05d}.npy"
        rows = slice(start, start + config.batch_size)
        if not part.exists():
            states = transceiver.trajectory([scene.caption for scene in scenes[rows]], seeds[rows])
            write_array(part, states.transpose(0, 1).half().cpu().numpy())
        parts.append(part)
    write_array(folder / "trajectories.labels.npy", np.array([labels_of(scene) for scene in scenes]))
    write_array(folder / "trajectories.npy", np.concatenate([np.load(part) for part in parts]))
    for part in parts:
        part.unlink()


class FinetuneLoss:
    """Distillation of the guided generator into the light UNet, on what the channel gives the receiver.

    A request is stopped at a random split and sent at a random SNR. The received latent y lies on the diffusion
    process at a lower alpha_bar (SNR re-match); further down, so do the points of the line from y to the latent that
    the edge would have reached. There the light UNet learns the generator's guided prediction, unguided: one
    forward instead of two.

    Deviation: SemAIGC trains on noise alone, with rendered data plus channel noise; here the data is what the
    edge sends and the target is the generator's own prediction. Learning the noise that leads to the
    edge's final latent instead gave a higher PSNR than the light UNet before it, and a lower alignment.

    Args:
        unet: the light UNet.
        generator: the generator's UNet.
        guidance_scale: of the generator.
        text_encoder: frozen.
        trajectories: float [N, T + 1, C, h, w].
        labels: int64 [N, 3].
        captions: table of token ids.
        schedule: the shared schedule.
        snr_db: range of the links.
        batch_size: requests a step.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        generator: UNet2DConditionModel,
        guidance_scale: float,
        text_encoder: CLIPTextModel,
        trajectories: Tensor,
        labels: Tensor,
        captions: CaptionTable,
        schedule: Schedule,
        snr_db: tuple[float, float],
        batch_size: int,
    ) -> None:
        self.unet, self.generator, self.guidance_scale = unet, generator, guidance_scale
        self.text_encoder, self.trajectories, self.labels, self.captions = text_encoder, trajectories, labels, captions
        self.schedule, self.snr_db, self.batch_size = schedule, snr_db, batch_size

    @classmethod
    def of(cls, training: ModelParts, unet: UNet2DConditionModel) -> FinetuneLoss:
        """The loss of a configured training."""
        low, high = training.config.finetune.snr_db
        return cls(
            unet,
            training.generator().requires_grad_(False),
            training.config.sampling.guidance_scale,
            training.trained_text_encoder(),
            torch.from_numpy(np.load(training.folder / "trajectories.npy")),
            torch.from_numpy(np.load(training.folder / "trajectories.labels.npy")),
            training.captions,
            Schedule.from_scheduler(training.scheduler, training.config.sampling.num_inference_steps),
            (low, high),
            training.config.finetune.training.batch_size,
        )

    def __call__(self, step: int, generator: torch.Generator) -> Tensor:
        """Loss of one step on requests, splits, links and stages drawn by the generator."""
        index = torch.randint(len(self.trajectories), (self.batch_size,), generator=generator)
        states, alpha = self._states(index, generator)
        timesteps = torch.from_numpy(self.schedule.timestep_of(alpha.numpy())).float()
        ids = self.captions.look_up(leave_unsaid(self.labels[index], generator))
        with torch.no_grad():
            context = self.text_encoder(torch.cat([self.captions.empty.expand_as(ids), ids]))[0]
            twice = torch.cat([states, states])
            unconditional, conditional = self.generator(twice, timesteps.repeat(2), context).sample.chunk(2)
            target = guided(unconditional, conditional, self.guidance_scale)
        error = self.unet(states, timesteps, context[len(ids) :]).sample.float() - target
        return (min_snr_weight(_column(alpha)) * error.square()).mean()

    def _states(self, index: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents that a receiver meets, [B, C, h, w], and their alpha_bar, float64 [B]."""
        split = torch.randint(self.schedule.num_inference_steps, index.shape, generator=generator)
        sent, final = self.trajectories[index, split].float(), self.trajectories[index, -1].float()
        variance = self._variance(sent, split, generator)
        alpha_split = torch.from_numpy(self.schedule.alpha_bars(self.schedule.timesteps)[0])[split]
        alpha_start = alpha_split / (1 + variance)
        unit = torch.randn(sent.shape, generator=generator)
        received = (sent + _column(variance.sqrt()) * unit) / _column((1 + variance).sqrt())
        noise = (received - _column(alpha_start.sqrt()) * final) / _column((1 - alpha_start).sqrt())
        alpha = self._further_down(alpha_start, alpha_split, variance, split, generator)
        states = _column(alpha.sqrt()) * final + _column((1 - alpha).sqrt()) * noise
        return states.to(memory_format=torch.channels_last), alpha

    def _variance(self, sent: Tensor, split: Tensor, generator: torch.Generator) -> Tensor:
        """Channel noise of each request, float64 [B]: none at split 0 and on perfect links."""
        low, high = self.snr_db
        snr_db = low + (high - low) * torch.rand(len(sent), generator=generator, dtype=torch.float64)
        perfect = torch.rand(len(sent), generator=generator) < PERFECT_LINKS
        variance = torch.from_numpy(noise_variance(mean_power(sent), snr_db.numpy()))
        return torch.where(perfect | (split == 0), torch.zeros_like(variance), variance)

    def _further_down(
        self, alpha_start: Tensor, alpha_split: Tensor, variance: Tensor, split: Tensor, generator: torch.Generator
    ) -> Tensor:
        """alpha_bar of a random step of the receiver: the hand-over half of the time, a later one otherwise."""
        steps = self.schedule.num_inference_steps
        later = split + (torch.rand(len(split), generator=generator) * (steps - split)).long()
        stay = torch.rand(len(split), generator=generator) < 0.5
        here = torch.from_numpy(self.schedule.alpha_bars(self.schedule.timesteps)[0])
        share = variance / (1 - alpha_split)
        plain = here[torch.where(stay, split, later)]
        return torch.where(stay, alpha_start, plain / (1 + share * (1 - plain)))


def _column(values: Tensor) -> Tensor:
    return values.float()[:, None, None, None]
