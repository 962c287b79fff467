"""The modules of plans as functions from items to items, registered under their names. Light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from envs.plans import Compute
from envs.transceiver.items import Image, Item, Latent

if TYPE_CHECKING:
    from envs.transceiver.execute import Execution

RunModule = Callable[["Execution", Item | None, Compute], Item | None]
MODULES: dict[str, RunModule] = {}
"""Name in a plan -> (execution, item at the node, stage) -> the item after it."""

GENERATOR_GOES_ON = "rematch"
"""The receiver of a latent that the generator's own weights take over: the best that needs no training."""
LIGHT_RECEIVER = "finetuned_light"
"""The receiver whose network `finetune_light_unet` is; from pure noise on, it generates by itself."""


def module(name: str) -> Callable[[RunModule], RunModule]:
    """Register a function as a module of plans; a decorator."""

    def register(function: RunModule) -> RunModule:
        MODULES[name] = function
        return function

    return register


@module("text_encoder")
def encode_text(_: Execution, item: Item | None, __: Compute) -> Item | None:
    """Nothing moves: whoever denoises embeds the prompts, which every node has."""
    return item


@module("unet")
def denoise_with_the_generator(execution: Execution, item: Item | None, stage: Compute) -> Latent:
    """Steps of the generator; of a latent that crossed a link, as the receiver `GENERATOR_GOES_ON`."""
    latent = execution.latent(item)
    if latent.noise_variance is not None:
        return execution.receive(latent, GENERATOR_GOES_ON, stage)
    until, values = execution.done + stage.steps, latent.values
    predict = execution.predictor("unet", True)
    for state in execution.transceiver.steps(values, predict, latent.step, until):
        values = state
    return replace(latent, values=values, step=max(until, latent.step))


@module("finetune_unet")
def denoise_with_the_receiver(execution: Execution, item: Item | None, stage: Compute) -> Latent:
    """The steps that remain, by the configured receiver."""
    return execution.receive(execution.latent(item), execution.receiver, stage)


@module("finetune_light_unet")
def denoise_with_the_light_network(execution: Execution, item: Item | None, stage: Compute) -> Latent:
    """The steps that remain, by the light fine-tuned network whatever the configured receiver is."""
    return execution.receive(execution.latent(item), LIGHT_RECEIVER, stage)


@module("vae_decoder")
def decode(execution: Execution, item: Item | None, _: Compute) -> Image:
    """The image of a latent as it is."""
    return Image(execution.transceiver.decode(execution.latent(item).values))
