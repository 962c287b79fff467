"""Plans: who computes what, and what crosses the link, as a short list of stages.

A plan is data and has two readings: the transceiver executes it, the cost table prices it. Nothing else in
the house knows about schemes. Prompts and seeds reach any node on an error-free control channel of
negligible size, so they are no stage.

| scheme, with T denoising steps in all | stages |
|---|---|
| `semaigc(k)`, k > 0 | text encoder and k steps at the edge, latent sent, T - k steps and decoding at the user |
| `semaigc(0)` | text encoder, T steps and decoding at the user, nothing sent |
| `non_root` | `semaigc(T // 2)` |
| `non_finetuning` | `semaigc(T)`: the noisy latent is decoded as it is |
| `edge_aigc` | the whole generator at the edge, image sent |
| `local_aigc` | the whole generator at the user, nothing sent |

Source: the SemAIGC paper, section III for the transceiver (its action a is `split`), section V for the four
benchmark frameworks. SemAIGC's steps at the edge are the generator's, those at the user the fine-tuning network's.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Node = Literal["edge", "user"]
Module = Literal["text_encoder", "unet", "finetune_unet", "vae_decoder"]
Payload = Literal["latent", "image"]

DENOISERS: tuple[Module, ...] = ("unet", "finetune_unet")
NUM_INFERENCE_STEPS = 20


@dataclass(frozen=True)
class Compute:
    """Run a module at a node.

    Attributes:
        node: where.
        module: what; `unet` is the generator, `finetune_unet` the light noise-aware network.
        steps: number of forward steps; more than one only for the two denoisers.

    Raises:
        ValueError: an unknown node or module, or steps that are not allowed.
    """

    node: Node
    module: Module
    steps: int = 1

    def __post_init__(self) -> None:
        _check("node", self.node, get_args(Node))
        _check("module", self.module, get_args(Module))
        object.__setattr__(self, "steps", _integer("steps", self.steps))
        if self.steps < 1 or (self.steps > 1 and self.module not in DENOISERS):
            raise ValueError(f"steps of {self.module} must be {'>= 1' if self.denoises else '1'}, got {self.steps}")

    @property
    def denoises(self) -> bool:
        """Whether this stage takes denoising steps."""
        return self.module in DENOISERS


@dataclass(frozen=True)
class Transmit:
    """Send a payload over the wireless link.

    Attributes:
        src, dst: two different nodes.
        payload: a latent (through the noisy channel, uncoded) or an image (error-free, at the rate of the link).

    Raises:
        ValueError: an unknown node or payload, or equal ends.
    """

    src: Node
    dst: Node
    payload: Payload

    def __post_init__(self) -> None:
        _check("src", self.src, get_args(Node))
        _check("dst", self.dst, get_args(Node))
        _check("payload", self.payload, get_args(Payload))
        if self.src == self.dst:
            raise ValueError(f"src and dst must differ, got {self.src!r} twice")


Stage = Compute | Transmit


@dataclass(frozen=True)
class Plan:
    """A named chain of stages that ends with an image at the user.

    Attributes:
        name: how configurations, tables and `expand` call it.
        stages: in the order of execution; each computes where the data is, or moves it.

    Raises:
        ValueError: the stages form no such chain.
    """

    name: str
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not self.stages:
            raise ValueError(f"plan {self.name!r} has no stages")
        here = _start(self.stages[0])
        for stage in self.stages:
            if _start(stage) != here:
                raise ValueError(f"plan {self.name!r}: the data is at {here!r}, where {stage} cannot use it")
            here = stage.dst if isinstance(stage, Transmit) else here
        if here != "user":
            raise ValueError(f"plan {self.name!r} must end at 'user', got {here!r}")

    @property
    def num_inference_steps(self) -> int:
        """Denoising steps in all, T."""
        return sum(stage.steps for stage in self.stages if isinstance(stage, Compute) and stage.denoises)

    @property
    def payload(self) -> Payload | None:
        """What is sent to the user; None if nothing is."""
        sent = [stage.payload for stage in self.stages if isinstance(stage, Transmit)]
        return sent[-1] if sent else None

    @property
    def split(self) -> int | None:
        """Steps done at the edge before a latent is handed over, 0..T.

        None where the generator makes the whole image at one node: quality is then that without noise.
        """
        steps = [stage for stage in self.stages if isinstance(stage, Compute) and stage.denoises]
        shared = self.payload == "latent" or any(stage.module == "finetune_unet" for stage in steps)
        return sum(stage.steps for stage in steps if stage.node == "edge") if shared else None


def semaigc(split: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """SemAIGC: `split` steps at the edge, the rest at the user (0 <= split <= num_inference_steps).

    Raises:
        ValueError: a split outside that range, or no step at all.
    """
    total = _total(num_inference_steps)
    split = _integer("split", split)
    if not 0 <= split <= total:
        raise ValueError(f"split must lie in 0..{total}, got {split}")
    stages: list[Stage] = [Compute("edge" if split else "user", "text_encoder")]
    if split:
        stages += [Compute("edge", "unet", split), Transmit("edge", "user", "latent")]
    if split < total:
        stages.append(Compute("user", "finetune_unet", total - split))
    stages.append(Compute("user", "vae_decoder"))
    return Plan(f"semaigc({split})", tuple(stages))


def non_root(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Non-ROOT: SemAIGC with half of the steps at either end, whatever the state."""
    return semaigc(_total(num_inference_steps) // 2, num_inference_steps)


def non_finetuning(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Non-fine-tuning: all steps at the edge, the noisy latent is decoded as it is."""
    return semaigc(num_inference_steps, num_inference_steps)


def edge_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Edge AIGC: the edge makes the image and sends it."""
    stages: list[Stage] = [*_generator("edge", num_inference_steps), Transmit("edge", "user", "image")]
    return Plan("edge_aigc", tuple(stages))


def local_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Local AIGC: the user makes the image, nothing is sent."""
    return Plan("local_aigc", _generator("user", num_inference_steps))


SCHEMES: dict[str, Callable[[int], Plan]] = {
    "edge_aigc": edge_aigc,
    "local_aigc": local_aigc,
    "non_root": non_root,
    "non_finetuning": non_finetuning,
}


def expand(
    names: str | Plan | Sequence[str | Plan], num_inference_steps: int = NUM_INFERENCE_STEPS
) -> tuple[Plan, ...]:
    """Turn names into plans, in their order; a plan that comes twice is kept at its first place.

    Args:
        names: `"semaigc"` (splits 0..T), `"semaigc(7)"`, a name of `SCHEMES`, or a plan; or several of these.
        num_inference_steps: T of the plans given by name.

    Raises:
        ValueError: an unknown name, a split outside 0..T, no name at all, or one name for different plans.
    """
    chosen: dict[str, Plan] = {}
    for name in [names] if isinstance(names, str | Plan) else names:
        for plan in (name,) if isinstance(name, Plan) else _named(name, num_inference_steps):
            if chosen.setdefault(plan.name, plan) != plan:
                raise ValueError(f"two different plans are named {plan.name!r}")
    if not chosen:
        raise ValueError("plans must name at least one plan, got none")
    return tuple(chosen.values())


def _named(name: str, total: int) -> tuple[Plan, ...]:
    if name == "semaigc":
        return tuple(semaigc(split, total) for split in range(_total(total) + 1))
    if isinstance(name, str) and (match := re.fullmatch(r"semaigc\((-?\d+)\)", name)):
        return (semaigc(int(match[1]), total),)
    if name not in SCHEMES:
        allowed = ", ".join(("semaigc", f"semaigc(0..{total})", *SCHEMES))
        raise ValueError(f"unknown plan {name!r}; allowed: {allowed}")
    return (SCHEMES[name](total),)


def _generator(node: Node, total: int) -> tuple[Compute, ...]:
    return Compute(node, "text_encoder"), Compute(node, "unet", _total(total)), Compute(node, "vae_decoder")


def _start(stage: Stage) -> Node:
    return stage.src if isinstance(stage, Transmit) else stage.node


def _total(num_inference_steps: int) -> int:
    total = _integer("num_inference_steps", num_inference_steps)
    if total < 1:
        raise ValueError(f"num_inference_steps must be >= 1, got {total}")
    return total


def _integer(name: str, value: int) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be an integer, got {value!r}") from None


def _check(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
