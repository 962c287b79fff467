"""The two kinds of stages that plans are made of: computing at nodes, and sending from one to another."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Literal, get_args

Worker = Literal["edge", "user"]
Node = Literal["edge", "user", "cloud"]
Module = Literal[
    "text_encoder", "unet", "finetune_unet", "vae_decoder", "vae_encoder", "sketch_decoder", "sketch_completer"
]
Payload = Literal["latent", "image", "sketch", "unet", "model"]

DENOISERS: tuple[Module, ...] = ("unet", "finetune_unet")
WEIGHTS: tuple[Payload, ...] = ("unet", "model")
NUM_INFERENCE_STEPS = 20


@dataclass(frozen=True)
class Compute:
    """Run a module at a node, or at several nodes of its kind side by side.

    Attributes:
        node: where; the cloud only stores models.
        module: what; `unet` is the generator, `finetune_unet` the light noise-aware network, `sketch_decoder` gives
            an image of half the resolution, `sketch_completer` turns it into one of the whole.
        steps: number of forward steps; more than one only for the two denoisers.
        nodes: how many equal nodes run it at the same time: it takes as long as at one, and all of them are paid.
        divided: whether each node does an equal share of the work instead of all of it.

    Raises:
        ValueError: an unknown node or module, or steps or nodes that are not allowed.
    """

    node: Worker
    module: Module
    steps: int = 1
    nodes: int = 1
    divided: bool = False

    def __post_init__(self) -> None:
        check_choice("node", self.node, get_args(Worker))
        check_choice("module", self.module, get_args(Module))
        object.__setattr__(self, "steps", integer("steps", self.steps))
        object.__setattr__(self, "nodes", count("nodes", self.nodes))
        if self.steps < 1 or (self.steps > 1 and self.module not in DENOISERS):
            raise ValueError(f"steps of {self.module} must be {'>= 1' if self.denoises else '1'}, got {self.steps}")

    @property
    def denoises(self) -> bool:
        """Whether this stage takes denoising steps."""
        return self.module in DENOISERS


@dataclass(frozen=True)
class Transmit:
    """Send a payload over the wireless link, or over the backhaul between cloud and edge.

    Attributes:
        src, dst: two different nodes, or `user` twice: from one user's device to another's.
        payload: a latent (through the noisy channel, uncoded), or an image, a sketch, the weights of the UNet or a
            whole model (error-free, at the rate of the link).
        copies: how many are sent one after the other; a broadcast is one.

    Raises:
        ValueError: an unknown node or payload, no such link, or no copy.
    """

    src: Node
    dst: Node
    payload: Payload
    copies: int = 1

    def __post_init__(self) -> None:
        check_choice("src", self.src, get_args(Node))
        check_choice("dst", self.dst, get_args(Node))
        check_choice("payload", self.payload, get_args(Payload))
        object.__setattr__(self, "copies", count("copies", self.copies))
        if self.src == self.dst != "user":
            raise ValueError(f"src and dst must differ, got {self.src!r} twice")
        if {self.src, self.dst} == {"cloud", "user"}:
            raise ValueError(f"no link from {self.src!r} to {self.dst!r}: send to 'edge' first")

    @property
    def is_backhaul(self) -> bool:
        """Whether it goes between cloud and edge, by wire."""
        return "cloud" in (self.src, self.dst)

    @property
    def sends_weights(self) -> bool:
        """Whether it sends weights, which are kept, and no part of the image."""
        return self.payload in WEIGHTS


Stage = Compute | Transmit


def total_steps(num_inference_steps: int) -> int:
    """T as a plain integer.

    Raises:
        ValueError: it is none, or below 1.
    """
    total = integer("num_inference_steps", num_inference_steps)
    if total < 1:
        raise ValueError(f"num_inference_steps must be >= 1, got {total}")
    return total


def steps_within(name: str, steps: int, low: int, high: int) -> int:
    """A number of steps as a plain integer.

    Raises:
        ValueError: it is none, or outside low..high.
    """
    steps = integer(name, steps)
    if not low <= steps <= high:
        raise ValueError(f"{name} must lie in {low}..{high}, got {steps}")
    return steps


def count(name: str, value: int, least: int = 1) -> int:
    """A number of things as a plain integer.

    Raises:
        ValueError: it is none, or below `least`.
    """
    number = integer(name, value)
    if number < least:
        raise ValueError(f"{name} must be >= {least}, got {number}")
    return number


def integer(name: str, value: int) -> int:
    """A plain integer.

    Raises:
        ValueError: it is none.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None


def check_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse what is not allowed.

    Raises:
        ValueError: with what is.
    """
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
