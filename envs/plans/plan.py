"""A plan: a named chain of stages that ends with an image at the user."""

from __future__ import annotations

from dataclasses import dataclass

from envs.plans.stages import Compute, Node, Payload, Stage, Transmit, count


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
        object.__setattr__(self, "requests", count("requests", self.requests))
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
        return sum(stage.steps for stage in self.stages if isinstance(stage, Compute) and stage.denoises)

    @property
    def payload(self) -> Payload | None:
        """What is sent last; None if nothing is."""
        sent = [stage.payload for stage in self.stages if isinstance(stage, Transmit)]
        return sent[-1] if sent else None

    @property
    def handover(self) -> int:
        """Index of the first stage of an attempt: what stands before it is done once.

        An image that is not accepted is sent, finished and decoded again: from the first payload that is no weights
        on; or, where nothing is sent, from the first denoising step on.
        """
        stages = list(enumerate(self.stages))
        sent = [index for index, stage in stages if isinstance(stage, Transmit) and not stage.sends_weights]
        denoised = [index for index, stage in stages if isinstance(stage, Compute) and stage.denoises]
        return (sent or denoised or [len(stages)])[0]

    @property
    def split(self) -> int | None:
        """Denoising steps done before a latent is handed over, 0..T.

        None where the generator makes the whole image at one node: quality is then that without noise.
        """
        steps = 0
        for stage in self.stages:
            if isinstance(stage, Transmit) and stage.payload == "latent":
                return steps
            steps += stage.steps if isinstance(stage, Compute) and stage.denoises else 0
        tuned = any(isinstance(stage, Compute) and stage.module == "finetune_unet" for stage in self.stages)
        return 0 if tuned else None


def _touches_the_data(stage: Stage) -> bool:
    return not stage.sends_weights if isinstance(stage, Transmit) else stage.module != "text_encoder"


def _start(stage: Stage) -> Node:
    return stage.src if isinstance(stage, Transmit) else stage.node
