"""The receiver's networks, distilled from the guided generator on the states that it meets inside `rematch`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from envs import checks
from envs.checks import Count, Natural, Span
from envs.files import whole_file
from envs.transceiver.model.components import Components
from envs.transceiver.receivers import PROCESSES, Predict, column
from envs.transceiver.scenes.scenes import COLOURS, NOUNS, PLACES, SEEN_SCENES, caption
from envs.transceiver.schedule import Schedule
from envs.transceiver.train_embedded.losses import leave_unsaid
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

    from envs.transceiver.train_embedded.parts import ModelParts

BY_EFFECT = 0.7
"""Share of a state's weight that follows what an error does there; the rest is equal for all."""
LEAST_SQUARED = 0.0025
"""Of the coefficient of the noise in a step: where it is smaller, errors count as if it were this large."""
States = dict[str, Any]
"""`latents` and `noise` float16 [n, C, h, w], `timesteps` and `coefficient` float32 [n], `labels` int8 [n, 3]."""


@dataclass(frozen=True)
class StatesSettings:
    """What the receiver's networks learn from: `states` of configs/train_model.yaml.

    Attributes:
        batches, batch_size: how many requests, and how many of them share T and splits.
        num_inference_steps, chances: the T that a batch may have, and how likely each is.
        handovers: splits of a batch, drawn without repetition from 1 to T - 1.
        snr_db: ranges of the link's SNR, equally likely.
        unsaid: share of prompts that leave out the colour, and of those that leave out the place.

    Raises:
        ValueError: anything out of range, or chances that do not fit.
    """

    batches: Count
    batch_size: Count
    num_inference_steps: list[Count]
    chances: list[float]
    handovers: Natural
    snr_db: list[Span]
    unsaid: float

    def __post_init__(self) -> None:
        checks.number("states.unsaid", self.unsaid, 0.0, 1.0)
        for index, chance in enumerate(self.chances):
            checks.number(f"states.chances[{index}]", chance, 0.0)
        if len(self.chances) != len(self.num_inference_steps) or not math.isclose(sum(self.chances), 1.0):
            raise ValueError(
                "states.chances must add up to 1, one for each of states.num_inference_steps "
                f"{self.num_inference_steps}, got {self.chances}"
            )


def record_states(training: ModelParts) -> list[Path]:
    """Record the generator's guided prediction for every state that it meets in a receiver's place.

    A batch is a file of its own in `states`, which follows from the seed and its number alone, so that a recording
    that was stopped goes on; what is there is kept.

    Returns:
        The files, each with `States`.
    """
    settings, folder = training.states, training.folder / "states"
    files = [folder / f"{index:05d}.npz" for index in range(settings.batches)]
    if missing := [index for index, file in enumerate(files) if not file.exists()]:
        folder.mkdir(exist_ok=True)
        sampling, vae = training.config.sampling, training.vae("refine")  # nothing is decoded
        parts = training.generator(), vae, training.trained_text_encoder(), training.tokenizer, training.scheduler
        generator = Transceiver(Components(*parts), sampling.num_inference_steps, sampling.guidance_scale)
        done = settings.batches - len(missing)
        with tqdm(total=settings.batches, initial=done, desc="states", unit="batch") as bar:
            for index in missing:
                rng = np.random.default_rng([training.config.seed + 5, index])
                with whole_file(files[index]) as partial:
                    np.savez(partial, **_recorded(generator, settings, rng))
                bar.update()
    return files


def _recorded(generator: Transceiver, settings: StatesSettings, rng: np.random.Generator) -> States:
    """The states of a batch: of its trajectory, as after a perfect link, and of what noisy links hand over."""
    steps, count = int(rng.choice(settings.num_inference_steps, p=settings.chances)), settings.batch_size
    transceiver = generator.with_steps(steps)
    scenes = torch.tensor([SEEN_SCENES[i].labels for i in rng.integers(len(SEEN_SCENES), size=count)])
    labels = leave_unsaid(scenes, torch.Generator().manual_seed(int(rng.integers(2**31))), settings.unsaid)
    seeds = [int(seed) for seed in rng.integers(2**31, 2**32, size=count)]
    recorder = _Recorder(transceiver.predictor("unet", True, _prompts(labels)), transceiver.schedule)
    latents = transceiver.initial_latents(seeds)
    trajectory = [latents, *transceiver.steps(latents, recorder, 0, steps)]
    rows = [recorder.take()]
    for split in rng.choice(np.arange(1, steps), size=min(settings.handovers, steps - 1), replace=False):
        low, high = np.array(settings.snr_db)[rng.integers(len(settings.snr_db), size=count)].T
        streams = transceiver.channel_streams(seeds, [int(split)] * count)
        received = transceiver.channel.send(trajectory[split], rng.uniform(low, high), streams)
        variance = np.asarray(received.noise_variance)
        PROCESSES["rematch"](recorder, transceiver.schedule, received.latents, variance, int(split), ())
        rows.append(recorder.take())
    states = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    return states | {"labels": np.tile(labels.numpy().astype(np.int8), (len(states["latents"]) // count, 1))}


def _prompts(labels: Tensor) -> list[str]:
    """The captions of labels [B, 3]; -1, the last of its kind, is a word left unsaid."""
    colours, places = (*COLOURS, None), (*PLACES, None)
    return [caption(NOUNS[noun], colours[colour], places[place]) for noun, colour, place in labels.tolist()]


class _Recorder:
    """A noise prediction that keeps what it is asked and what it says."""

    def __init__(self, predict: Predict, schedule: Schedule) -> None:
        self.predict, self.schedule = predict, schedule
        self.asked: list[tuple[Tensor, Tensor, Tensor]] = []

    def __call__(self, z: Tensor, t: Tensor) -> Tensor:
        noise = self.predict(z, t)
        self.asked.append((z, t, noise))
        return noise

    def take(self) -> States:
        """The states of a run from its first step to its last, with the coefficient of the noise in each step."""
        latents, timesteps, noise = (torch.stack(each).cpu() for each in zip(*self.asked, strict=True))
        self.asked.clear()
        here, after = self.schedule.alpha_bars(timesteps.double().numpy().T)
        coefficient = np.sqrt(1 - after) - np.sqrt(after * (1 - here) / here)
        return {
            "latents": latents.flatten(0, 1).half().numpy(),
            "timesteps": timesteps.flatten().numpy(),
            "noise": noise.flatten(0, 1).half().numpy(),
            "coefficient": coefficient.T.reshape(-1).astype(np.float32),
        }


class DistilLoss:
    """Distillation of the guided generator into a receiver's UNet, for one unguided forward a step.

    The UNet sees the prompt alone and learns the guided noise that the generator predicted, at each of the states that
    the generator met in a receiver's place. An error e of the noise moves the latent by c e in that step, with
    c = sqrt(1 - a') - sqrt(a' (1 - a) / a) and alpha_bar a before, a' after it: squared errors are weighted by c^2,
    and a part of them equally. Own choice.

    Deviation: SemAIGC trains on noise alone, with rendered data plus channel noise; here the data is what the edge
    sends and what the receiver makes of it, and the target is the generator's own prediction.

    Args:
        training: holds the recorded states, which are recorded where they are missing, and the text encoder.
        unet: what is trained, of any size.
    """

    def __init__(self, training: ModelParts, unet: UNet2DConditionModel) -> None:
        files = record_states(training)
        self.unet = unet
        self.latents, self.noise, self.timesteps = (_read(files, name) for name in ("latents", "noise", "timesteps"))
        self.labels = _read(files, "labels")
        squared = _read(files, "coefficient").square().clamp(min=LEAST_SQUARED)
        self.weights = BY_EFFECT * squared / squared.mean() + 1 - BY_EFFECT
        ids = training.captions.ids
        with torch.no_grad():
            contexts = training.trained_text_encoder()(ids.flatten(0, -2).to(unet.device))[0]
        self.contexts = contexts.unflatten(0, ids.shape[:-1])

    def __len__(self) -> int:
        return len(self.latents)

    def __call__(self, index: Tensor, _: torch.Generator) -> Tensor:
        """Loss of some states int64 [B]."""
        device = self.unet.device
        latents = self.latents[index].to(device, torch.float32).to(memory_format=torch.channels_last)
        context = self.contexts[self.labels[index].to(device, torch.int64).unbind(1)]
        error = self.unet(latents, self.timesteps[index].to(device), context).sample.float()
        error = error - self.noise[index].to(error)
        return (column(self.weights[index], error) * error.square()).mean()


def _read(files: list[Path], name: str) -> Tensor:
    """One of the arrays of all files."""
    parts = []
    for file in files:
        with np.load(file) as states:
            parts.append(states[name])
    return torch.from_numpy(np.concatenate(parts))
