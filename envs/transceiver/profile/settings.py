"""What a quality profile is measured over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from envs import checks
from envs.channels import make_channel
from envs.transceiver.model.options import AUTO, ModelOptions, check_source
from envs.transceiver.profile.profile import Request
from envs.transceiver.receivers import receiver_named
from envs.transceiver.scenes.scenes import ALL_SCENES

DEFAULT_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class MeasureParams:
    """What is measured, and how.

    Attributes:
        model: folder of the model or `hub:owner/name`, None for the embedded one.
        receivers: name -> channel draws.
        num_requests: requests, drawn from all captioned scenes with `seed` (every prompt once before any twice).
        prompts: own prompts instead of captioned scenes, None for the scenes.
        snr_db: measured SNRs.
        num_inference_steps, guidance_scale: of the sampler; None takes the model's guidance.
        batch_size: latents a forward.
        requests_per_cell: that are measured at once, and whose trajectories are kept together.
        channel: name of the link, or a mapping of `name` and parameters.
        device: where it runs; "auto" is the GPU where there is one.
        options: networks that stand in for the model's, and how they run.

    Raises:
        ValueError: a value that is not allowed.
    """

    model: str | None
    receivers: dict[str, int]
    num_requests: int
    snr_db: tuple[float, ...]
    prompts: tuple[str, ...] | None = None
    num_inference_steps: int = 20
    guidance_scale: float | None = None
    batch_size: int = 128
    requests_per_cell: int = 16
    seed: int = 0
    channel: str | Mapping[str, Any] = "awgn"
    device: str = AUTO
    options: ModelOptions = DEFAULT_OPTIONS

    def __post_init__(self) -> None:
        make_channel(self.channel)
        if self.model is not None:
            check_source("the model", self.model)
        for name, draws in self.receivers.items():
            receiver_named(name)
            checks.integer(f"channel draws of {name}", draws, 1)
        for name in ("num_requests", "batch_size", "requests_per_cell"):
            checks.integer(name, getattr(self, name), 1)
        if self.prompts is not None and not self.prompts:
            raise ValueError("prompts is an empty list: give one or more, or null for captioned scenes")
        checks.points("snr_db", self.snr_db)

    @classmethod
    def from_config(
        cls, measure: Mapping[str, Any], transceiver: Mapping[str, Any], channel: str | Mapping[str, Any] = "awgn"
    ) -> Self:
        """What a configuration asks for.

        Args:
            measure: the fields of this class that are not about the model.
            transceiver, channel: the configuration's groups.

        Raises:
            ValueError: a folder that is not there, an unknown option, or a setting out of range.
        """
        options = ModelOptions.from_group(transceiver)
        lists = {name: None if measure[name] is None else tuple(measure[name]) for name in ("snr_db", "prompts")}
        model_fields = {"model": transceiver["path"], "guidance_scale": transceiver["guidance_scale"]}
        model_fields |= {"device": transceiver["device"], "options": options}
        return checks.make(cls, {**measure, **lists, **model_fields, "channel": channel}, "measure")

    def requests(self) -> tuple[Request, ...]:
        """The requests that are measured."""
        rng = np.random.default_rng(self.seed)
        prompts = tuple(scene.caption for scene in ALL_SCENES) if self.prompts is None else self.prompts
        order = np.concatenate([rng.permutation(len(prompts)) for _ in range(self.num_requests // len(prompts) + 1)])
        seeds = rng.integers(2**31, size=self.num_requests)
        return tuple(Request(prompts[i], int(s)) for i, s in zip(order[: self.num_requests], seeds, strict=True))

    def blocks(self) -> list[slice]:
        """The requests as they are measured at once."""
        starts = range(0, self.num_requests, self.requests_per_cell)
        return [slice(start, min(start + self.requests_per_cell, self.num_requests)) for start in starts]
