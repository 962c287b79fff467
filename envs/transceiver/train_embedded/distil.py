"""Fine-tuning of the receiver's light UNet on the edge's own guided, noisy partial trajectories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from envs.channels.awgn import mean_power, noise_variance
from envs.transceiver.model.components import Components
from envs.transceiver.receivers import column
from envs.transceiver.scenes.scenes import SEEN_SCENES
from envs.transceiver.schedule import Schedule
from envs.transceiver.steps import guided
from envs.transceiver.train_embedded.data import write_array
from envs.transceiver.train_embedded.losses import leave_unsaid, min_snr_weight
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

    from envs.transceiver.train_embedded.parts import ModelParts

PERFECT_LINKS = 0.15
"""Share of the fine-tuning's links without noise."""


def record_trajectories(training: ModelParts) -> None:
    """Store the generator's states over all splits for requests of seen combinations.

    Writes `trajectories.npy` float16 [N, T + 1, C, h, w] and `trajectories.labels.npy` int64 [N, 3]. Parts that
    were recorded before an interruption are kept.
    """
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
    with tqdm(total=config.count, desc="trajectories", unit="request") as bar:
        for start in range(0, config.count, config.batch_size):
            part = folder / f"trajectories.{start:05d}.npy"
            rows = slice(start, start + config.batch_size)
            if not part.exists():
                states = transceiver.trajectory([scene.caption for scene in scenes[rows]], seeds[rows])
                write_array(part, states.transpose(0, 1).half().cpu().numpy())
            parts.append(part)
            bar.update(len(seeds[rows]))
    write_array(folder / "trajectories.labels.npy", np.array([scene.labels for scene in scenes]))
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
        training: holds the recorded trajectories and the trained generator.
        unet: the light UNet.
    """

    def __init__(self, training: ModelParts, unet: UNet2DConditionModel) -> None:
        sampling = training.config.sampling
        self.unet = unet
        self.generator = training.generator().requires_grad_(False)
        self.guidance_scale = sampling.guidance_scale
        self.text_encoder = training.trained_text_encoder()
        self.captions = training.captions
        self.snr_db = training.config.finetune.snr_db
        self.trajectories = torch.from_numpy(np.load(training.folder / "trajectories.npy"))
        self.labels = torch.from_numpy(np.load(training.folder / "trajectories.labels.npy"))
        self.schedule = Schedule.from_scheduler(training.scheduler, sampling.num_inference_steps)
        self.alpha_bars = torch.from_numpy(self.schedule.alpha_bar(self.schedule.timesteps))

    def __call__(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """Loss of some requests int64 [B] at splits, links and stages drawn by the generator."""
        states, alpha = self._states(index, generator)
        timesteps = torch.from_numpy(self.schedule.timestep_of(alpha.numpy())).float()
        ids = self.captions.look_up(leave_unsaid(self.labels[index], generator))
        with torch.no_grad():
            context = self.text_encoder(torch.cat([self.captions.empty.expand_as(ids), ids]))[0]
            twice = torch.cat([states, states])
            unconditional, conditional = self.generator(twice, timesteps.repeat(2), context).sample.chunk(2)
            target = guided(unconditional, conditional, self.guidance_scale)
        error = self.unet(states, timesteps, context[len(ids) :]).sample.float() - target
        return (min_snr_weight(column(alpha, error)) * error.square()).mean()

    def _states(self, index: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents that a receiver meets, [B, C, h, w], and their alpha_bar, float64 [B].

        They are those of the hand-over half of the time, and of a later step of the receiver otherwise.
        """
        steps, (low, high) = self.schedule.num_inference_steps, self.snr_db
        split = torch.randint(steps, index.shape, generator=generator)
        sent, final = self.trajectories[index, split].float(), self.trajectories[index, -1].float()
        snr_db = low + (high - low) * torch.rand(len(sent), generator=generator, dtype=torch.float64)
        perfect = torch.rand(len(sent), generator=generator) < PERFECT_LINKS
        variance = torch.from_numpy(noise_variance(mean_power(sent), snr_db.numpy()))
        variance = torch.where(perfect | (split == 0), torch.zeros_like(variance), variance)
        alpha_split = self.alpha_bars[split]
        alpha_start = alpha_split / (1 + variance)
        unit = torch.randn(sent.shape, generator=generator)
        received = (sent + column(variance.sqrt(), sent) * unit) / column((1 + variance).sqrt(), sent)
        noise = (received - column(alpha_start.sqrt(), sent) * final) / column((1 - alpha_start).sqrt(), sent)
        later = split + (torch.rand(len(split), generator=generator) * (steps - split)).long()
        stay = torch.rand(len(split), generator=generator) < 0.5
        share = variance / (1 - alpha_split)
        plain = self.alpha_bars[torch.where(stay, split, later)]
        alpha = torch.where(stay, alpha_start, plain / (1 + share * (1 - plain)))
        states = column(alpha.sqrt(), sent) * final + column((1 - alpha).sqrt(), sent) * noise
        return states.to(memory_format=torch.channels_last), alpha
