"""Plans: chains of two kinds of stages, computing at nodes and sending from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from envs.checks import choice, integer
from envs.plans.codecs import codec_payload, full_codec

Node = Literal["edge", "user", "cloud"]
Module = Literal[
    "text_encoder",
    "unet",
    "finetune_unet",
    "finetune_light_unet",
    "vae_decoder",
    "vae_encoder",
    "sketch_decoder",
    "sketch_completer",
]
Payload = Literal["latent", "image", "sketch", "unet", "model"]

DENOISERS: tuple[Module, ...] = ("unet", "finetune_unet", "finetune_light_unet")
WEIGHTS: tuple[Payload, ...] = ("unet", "model")
NUM_INFERENCE_STEPS = 20


@dataclass(frozen=True)
class Compute:
    """Run a module at a node, or at several nodes of its kind side by side.

    Attributes:
        node: where.
        module: what; `unet` is the generator, `finetune_unet` the noise-aware network, `finetune_light_unet` the light
            one that was trained likewise, `sketch_decoder` gives an image of half the resolution, `sketch_completer`
            turns it into one of the whole.
        steps: number of forward steps; more than one only for the denoisers.
        nodes: how many equal nodes run it at the same time: it takes as long as at one, and all of them are paid.
        divided: whether each node does an equal share of the work instead of all of it.

    Raises:
        ValueError: an unknown node or module, or steps or nodes that are not allowed.
    """

    node: Node
    module: Module
    steps: int = 1
    nodes: int = 1
    divided: bool = False

    def __post_init__(self) -> None:
        choice("node", self.node, get_args(Node))
        choice("module", self.module, get_args(Module))
        most = None if self.denoises else 1
        object.__setattr__(self, "steps", integer(f"steps of {self.module}", self.steps, 1, most))
        object.__setattr__(self, "nodes", integer("nodes", self.nodes, 1))

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
        codec: what makes a file of an image or a latent (`envs.plans.codecs`), which arrives without error; None sends
            raw pixels, and latents as they are.

    Raises:
        ValueError: an unknown node, payload or codec, no such link, no copy, or a codec of another payload.
    """

    src: Node
    dst: Node
    payload: Payload
    copies: int = 1
    codec: str | None = None

    def __post_init__(self) -> None:
        choice("src", self.src, get_args(Node))
        choice("dst", self.dst, get_args(Node))
        choice("payload", self.payload, get_args(Payload))
        object.__setattr__(self, "copies", integer("copies", self.copies, 1))
        if self.src == self.dst != "user":
            raise ValueError(f"src and dst must differ, got {self.src!r} twice")
        if {self.src, self.dst} == {"cloud", "user"}:
            raise ValueError(f"no link from {self.src!r} to {self.dst!r}: send to 'edge' first")
        if self.codec is not None:
            object.__setattr__(self, "codec", full_codec(self.codec))
            if codec_payload(self.codec) != self.payload:
                raise ValueError(f"codec {self.codec} is for {codec_payload(self.codec)}s, not for: {self.payload}")

    @property
    def is_backhaul(self) -> bool:
        """Whether it goes between cloud and edge, by wire."""
        return "cloud" in (self.src, self.dst)

    @property
    def sends_weights(self) -> bool:
        """Whether it sends weights, which are kept, and no part of the image."""
        return self.payload in WEIGHTS


Stage = Compute | Transmit


@dataclass(frozen=True)
class Plan:
    """A named chain of stages that ends with an image at the user.

    Attributes:
        name: how configurations, tables and `expand` call it.
        stages: in the order of execution, nothing overlaps. Each computes where the data is, or moves it. Text is
            encoded anywhere, and weights move no data.
        requests: users whose requests it serves together; its price is that of all of them.

    Raises:
        ValueError: the stages form no such chain.
    """

    name: str
    stages: tuple[Stage, ...]
    requests: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        object.__setattr__(self, "requests", integer("requests", self.requests, 1))
        if not self.stages:
            raise ValueError(f"plan {self.name!r} has no stages")
        here: Node | None = None
        for stage in self.stages:
            if not _touches_the_data(stage):
                continue
            if here not in (None, _start(stage)):
                raise ValueError(f"plan {self.name!r}: the data is at {here!r}, where {stage} cannot use it")
            here = stage.dst if isinstance(stage, Transmit) else stage.node
        if here != "user":
            raise ValueError(f"plan {self.name!r} must end at 'user', got {here!r}")

    @property
    def num_inference_steps(self) -> int:
        """Denoising steps of one image in all, T."""
        return sum(stage.steps for stage in self.denoising)

    @property
    def payload(self) -> Payload | None:
        """What is sent last; None if nothing is."""
        sent = [stage.payload for stage in self.stages if isinstance(stage, Transmit)]
        return sent[-1] if sent else None

    @property
    def edge_steps(self) -> int:
        """Denoising steps at the edge."""
        return sum(stage.steps for stage in self.denoising if stage.node == "edge")

    @property
    def uses_cloud(self) -> bool:
        """Whether anything is computed in the cloud."""
        return any(isinstance(stage, Compute) and stage.node == "cloud" for stage in self.stages)

    @property
    def handover_step(self) -> int | None:
        """Denoising steps done before a latent is first handed over, 0..T; None where none is."""
        steps = 0
        for stage in self.stages:
            if isinstance(stage, Transmit) and stage.payload == "latent":
                return steps
            steps += stage.steps if isinstance(stage, Compute) and stage.denoises else 0
        return None

    @property
    def denoising(self) -> tuple[Compute, ...]:
        """The stages that take denoising steps."""
        return tuple(stage for stage in self.stages if isinstance(stage, Compute) and stage.denoises)

    @property
    def shares_done(self) -> tuple[float, ...]:
        """Of each stage, the share of the denoising steps that lie behind it, in [0, 1]."""
        steps = [stage.steps if isinstance(stage, Compute) and stage.denoises else 0 for stage in self.stages]
        return tuple(sum(steps[:index]) / max(1, sum(steps)) for index in range(len(steps)))

    @property
    def attempt_start(self) -> int:
        """Index of the first stage of an attempt: what stands before it is done once.

        An image that is not accepted is sent, finished and decoded again: from the first payload that is not weights
        on; or, where nothing is sent, from the first denoising step on.
        """
        stages = list(enumerate(self.stages))
        sent = [index for index, stage in stages if isinstance(stage, Transmit) and not stage.sends_weights]
        denoised = [index for index, stage in stages if isinstance(stage, Compute) and stage.denoises]
        return (sent or denoised or [len(stages)])[0]


def _touches_the_data(stage: Stage) -> bool:
    return not stage.sends_weights if isinstance(stage, Transmit) else stage.module != "text_encoder"


def _start(stage: Stage) -> Node:
    return stage.src if isinstance(stage, Transmit) else stage.node
