"""How long each module of a loaded model takes on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from torch.utils.benchmark.utils.common import set_torch_threads

from envs import checks
from envs.costs import Payloads, Timed
from envs.transceiver.receivers import receiver_named, receiver_step
from envs.transceiver.transceiver import Transceiver

PROMPTS = ["a", ""]
"""What the text encoder is timed with: a prompt, and the empty one of guidance."""


def timed_costs(
    transceiver: Transceiver,
    receiver: str = "finetuned",
    repeats: int = 7,
    threads: int = 1,
    edge_slowdown: float = 1.0,
    user_slowdown: float = 1.0,
    cloud_slowdown: float = 1.0,
) -> Timed:
    """Time every module for one request on this machine.

    Each figure is the median of `repeats` runs after one that is not counted. A busy machine gives larger ones.

    Args:
        transceiver: the loaded model; its guidance is part of a step.
        receiver: whose step is timed, a name of `receivers.RECEIVERS`.
        repeats: timed runs of each module.
        threads: of the processor; small networks are fastest on one. Of no effect on a GPU.
        edge_slowdown, user_slowdown, cloud_slowdown: how many times slower than this machine each device is.

    Raises:
        ValueError: an unknown receiver or one whose network is not loaded, `repeats` or `threads` < 1, or a slowdown
            out of range.
    """
    checks.integer("repeats", repeats, 1)
    checks.integer("threads", threads, 1)
    spec = receiver_named(receiver)
    generator = transceiver.predictor("unet", True, PROMPTS[:1])
    own = transceiver.predictor(spec.network, spec.guided, PROMPTS[:1])
    has_light = transceiver.components.finetune_light_unet is not None
    light = transceiver.predictor("finetune_light_unet", False, PROMPTS[:1]) if has_light else None
    latents = transceiver.initial_latents([0])
    t = torch.full((1,), float(transceiver.schedule.timesteps[0]), device=transceiver.device)

    def seconds(call: Callable[[], object]) -> float:
        call()
        return median(_seconds(call, transceiver.device) for _ in range(repeats))

    with set_torch_threads(threads):
        return Timed(
            machine=_machine(transceiver.device),
            text_encoder_s=seconds(lambda: transceiver.embed(PROMPTS)),
            step_s=seconds(lambda: generator(latents, t)),
            finetune_step_s=seconds(lambda: own(latents, t)),
            vae_decoder_s=seconds(lambda: transceiver.decode(latents)),
            step=receiver_step(receiver),
            payloads=Payloads(latent=8 * latents.numel(), image=8 * transceiver.decode(latents).numel()),
            edge_slowdown=edge_slowdown,
            user_slowdown=user_slowdown,
            cloud_slowdown=cloud_slowdown,
            light_step_s=None if light is None else seconds(lambda: light(latents, t)),
        )


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    _wait_for(device)
    start = time.perf_counter()
    call()
    _wait_for(device)
    return time.perf_counter() - start


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"this machine's {device.type} on {threads} thread{'s' if threads > 1 else ''}"
