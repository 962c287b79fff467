"""The receivers: what is done with a noisy latent in the steps that remain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from envs.channels.noise import stream, unit_noise
from envs.costs import ReceiverStep
from envs.transceiver import steps
from envs.transceiver.schedule import Schedule
from envs.units import FloatArray

if TYPE_CHECKING:
    from envs.transceiver.execute import Execution
    from envs.transceiver.items import Latent

Predict = Callable[[Tensor, Tensor], Tensor]
"""(latents [B, C, H, W] of unit diffusion scale, timesteps float [B]) -> predicted noise of unit variance."""
Generators = Sequence[torch.Generator]
Process = Callable[[Predict, Schedule, Tensor, FloatArray, int, Generators], Tensor]
"""(network, schedule, latents [B, C, H, W] as the channel gave them over its known gain, their noise variance per real
element [B], steps done 0..T - 1, a generator a request for the noise of those that draw some) -> clean latents
[B, C, H, W]. `ignore` takes them as they came."""

LIGHT = ("light_unet", "finetune_light_unet")
"""Networks that are lighter than the generator's."""
FADE_POWER = 2
RECEIVER_STREAM = 2
"""Of the generators of a request: that of the receivers which draw noise."""


@dataclass(frozen=True)
class Receiver:
    """A receiver is a network, whether it is guided, and a process.

    Attributes:
        network: "unet" (the generator's weights), "finetune_unet" (another of its size), or a light one: "light_unet",
            "finetune_light_unet".
        guided: classifier-free guidance (two forwards a step) or not (one).
        process: one of PROCESSES.
    """

    network: str
    guided: bool
    process: str


RECEIVERS = {
    "ignore": Receiver("unet", True, "ignore"),
    "rematch": Receiver("unet", True, "rematch"),
    "rematch_light": Receiver("light_unet", True, "rematch"),
    "proposition1": Receiver("unet", True, "proposition1"),
    "ancestral": Receiver("unet", True, "ancestral"),
    "printed": Receiver("unet", True, "printed"),
    "finetuned": Receiver("finetune_unet", False, "rematch"),
    "finetuned_light": Receiver("finetune_light_unet", False, "rematch"),
}


def receiver_named(name: str) -> Receiver:
    """Look a receiver up.

    Raises:
        ValueError: an unknown name.
    """
    if name not in RECEIVERS:
        raise ValueError(f"unknown receiver {name!r}: choose from {', '.join(RECEIVERS)}")
    return RECEIVERS[name]


def receiver_step(name: str) -> ReceiverStep:
    """What a receiver runs in one step, as its price needs it.

    Raises:
        ValueError: an unknown name.
    """
    spec = receiver_named(name)
    return ReceiverStep(light=spec.network in LIGHT, guided=spec.guided)


def receive(execution: Execution, name: str, latent: Latent) -> Tensor:
    """Clean latents [B, C, H, W] by the receiver of a name; after step T every receiver is the identity.

    Args:
        execution: whose requests these are.
        name: a name of `RECEIVERS`.
        latent: as the channel gave it.
    """
    schedule = execution.transceiver.schedule
    if latent.step == schedule.num_inference_steps:
        return latent.values
    spec, generators = receiver_named(name), [stream(int(seed), RECEIVER_STREAM, 0) for seed in execution.seeds]
    process, predict = PROCESSES[spec.process], execution.predictor(spec.network, spec.guided)
    values, variance = (latent.values, latent.variance) if spec.process == "ignore" else latent.unbiased
    return process(predict, schedule, values, variance, latent.step, generators)


def _ignore(predict: Predict, schedule: Schedule, z: Tensor, _: FloatArray, split: int, __: Generators) -> Tensor:
    """Go on as if there were no noise."""
    return list(ddim(predict, schedule, z, np.tile(schedule.timesteps[split:], (len(z), 1))))[-1]


def _rematch(
    predict: Predict, schedule: Schedule, z: Tensor, variance: FloatArray, split: int, _: Generators
) -> Tensor:
    """Rescale onto the diffusion process and start at the matching fractional timestep.

    It is the noise-aware step of Proposition 1 with the variances sigma_k^2 = alpha_bar_k / alpha_bar(t'_k) - 1, t'
    the grid below. With few steps left they fall faster than those of `proposition1`: at -6 dB and split 18 the
    fine-tuned network, half-way through its training, kept an alignment of 0.93 instead of 0.72 (128 requests).
    """
    grid = rematch_grid(schedule, split, variance)
    return list(ddim(predict, schedule, z / column((1 + variance) ** 0.5, z), grid))[-1]


def rematch_grid(schedule: Schedule, split: int, variance: FloatArray) -> FloatArray:
    """Timesteps of a re-matching receiver, [B, T - split]: from t* down, the plain grid where there is no noise.

    The shift of the first timestep fades with the square of the share of steps that remain. Own rule. Tried beside
    it: the plain grid stretched in proportion, fades of power 1/2, 1, 3, 4, 6, a shift of the first step alone, a
    shift in log-SNR, and the grid of `proposition1`. In PSNR of the latent over -6 to 15 dB and splits 2 to 19 it
    stayed within 0.2 dB of the best of them in all but one cell of 24 requests (0.5 dB), and within 0.02 dB of
    `ignore` or above it; stretching lost 2.5 dB with two steps left at -6 dB, the linear fade 0.5 dB at 15 dB.
    """
    plain = schedule.timesteps[split:]
    t_star = schedule.matched_timestep(split, variance)
    fade = (1 - np.arange(len(plain)) / len(plain)) ** FADE_POWER
    return plain + (t_star - plain[0])[:, None] * fade


def ddim(predict: Predict, schedule: Schedule, z: Tensor, grid: FloatArray) -> Iterator[Tensor]:
    """The states after each deterministic step down a grid of timesteps, [B, K], and on to the clean latents."""
    here, after = schedule.alpha_bars(grid)
    for k in range(grid.shape[1]):
        eps = predict(z, _row(grid[:, k], z))
        z = steps.ddim_step(z, eps, column(here[:, k], z), column(after[:, k], z))
        yield z


def _noise_aware(
    kind: str,
    predict: Predict,
    schedule: Schedule,
    z: Tensor,
    variance: FloatArray,
    split: int,
    generators: Generators,
) -> Tensor:
    """Proposition 1 on the plain grid of alpha_bar; the channel noise leaves in proportion to the diffusion's.

    sigma_t^2 = c (1 - alpha_bar_t) with c = sigma^2 / (1 - alpha_bar_split): own derivation, a variance
    schedule that Proposition 1 leaves open.

    Args:
        kind: "proposition1" (right, deterministic), "ancestral" (right, its posterior) or "printed".
        predict, schedule, z, variance, split, generators: see `Process`.
    """
    here, after = schedule.alpha_bars(schedule.timesteps[split:])
    share = variance / (1 - here[0])
    for k in range(len(here)):
        t = np.full(len(z), schedule.timesteps[split + k])
        var, var_after = column(share * (1 - here[k]), z), column(share * (1 - after[k]), z)
        alpha, alpha_after = (column(np.full(len(z), bar[k]), z) for bar in (here, after))
        v, v_after = 1 - alpha + var, 1 - alpha_after + var_after
        if kind == "printed":
            eps = predict(z, _row(t, z))
            z = steps.printed_step(z, eps, alpha, alpha_after, var, var_after)
            z = z + steps.posterior_std(alpha, alpha_after, v, v_after) * unit_noise(generators, z)
            continue
        matched = schedule.timestep_of(here[k] / (1 + share * (1 - here[k])))
        eps = predict(z / (1 + var).sqrt(), _row(np.where(share == 0, t, matched), z))
        if kind == "proposition1":
            z = steps.noise_aware_step(z, eps, alpha, alpha_after, v, v_after)
        else:
            z = steps.posterior_step(z, eps, unit_noise(generators, z), alpha, alpha_after, v, v_after)
    return z


PROCESSES: dict[str, Process] = {
    "ignore": _ignore,
    "rematch": _rematch,
    **{kind: partial(_noise_aware, kind) for kind in ("proposition1", "ancestral", "printed")},
}


def column(values: FloatArray | Tensor, like: Tensor) -> Tensor:
    """One number a request, [B], as [B, 1, 1, 1] of the type and device of `like`."""
    return torch.as_tensor(values, dtype=like.dtype, device=like.device)[:, None, None, None]


def _row(values: FloatArray, like: Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32, device=like.device)
