"""What a quality profile is measured over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from envs import checks
from envs.channels import make_channel
from envs.plans import DEFAULT_QUALITY, LOSSLESS_CODECS, codec_payload, full_codec
from envs.transceiver.codecs.latents import latent_codec
from envs.transceiver.model.options import AUTO, ModelOptions, check_source
from envs.transceiver.profile.acceptance import ACCEPTED
from envs.transceiver.profile.profile import PARTS, Request
from envs.transceiver.profile.table import METRICS
from envs.transceiver.receivers import receiver_named
from envs.transceiver.scenes.scenes import ALL_SCENES

DEFAULT_OPTIONS = ModelOptions()
SEARCHED_SNRS = 3
"""That a channel draw is measured at besides the first ones, on average: 2.9 in the shipped profile."""


@dataclass(frozen=True)
class ReceiverAxes:
    """What is measured of one receiver.

    Attributes:
        num_inference_steps: several T.
        draws: channel draws.
        train, test: how many of these requests, the first ones; None is all.
        codecs: of the latent, beside those that are sent as they are; what they give has no SNR and no channel draws.
        local_steps: several other T, of which split 0 alone is measured, on all requests: everything at the user.

    Raises:
        ValueError: a number out of range, or one T among both.
    """

    num_inference_steps: tuple[int, ...]
    draws: int = 3
    train: int | None = None
    test: int | None = None
    codecs: tuple[str, ...] = ()
    local_steps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.num_inference_steps:
            raise ValueError("num_inference_steps must name one number or more")
        for steps in (*self.num_inference_steps, *self.local_steps):
            checks.integer("num_inference_steps", steps, 1)
        if twice := {*self.num_inference_steps} & {*self.local_steps}:
            raise ValueError(f"local_steps are T beside num_inference_steps, got {min(twice)} among both")
        checks.integer("channel draws", self.draws, 1)
        for codec in self.codecs:
            latent_codec(codec)
        for part in PARTS:
            checks.integer(f"{part} requests", 0 if getattr(self, part) is None else getattr(self, part), 0)

    @classmethod
    def from_config(cls, name: str, given: Any, num_inference_steps: int) -> Self:
        """Axes of a receiver: a mapping, or the number of channel draws alone.

        Raises:
            ValueError: an unknown key, or a value that is not allowed.
        """
        values = dict(given) if isinstance(given, Mapping) else {"draws": given}
        steps = values.pop("num_inference_steps", None) or num_inference_steps
        steps = tuple(steps) if isinstance(steps, (list, tuple)) else (steps,)
        values |= {key: tuple(values.get(key) or ()) for key in ("codecs", "local_steps")}
        try:
            return checks.make(cls, {"num_inference_steps": steps} | values, f"measure.receivers.{name}")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


@dataclass(frozen=True)
class MeasureParams:
    """What is measured, and how.

    Attributes:
        model: folder of the model or `hub:owner/name`, None for the embedded one.
        receivers: name -> what is measured of it.
        requests: part -> how many, drawn with `seed` at random over all prompts (each once before any twice).
        prompts: own prompts instead of captioned scenes, None for the scenes.
        snr_db: measured SNRs.
        first_snr_db: those that every channel draw is measured at. Between two of them that differ in acceptance the
            next one is measured half-way, until neighbours in `snr_db` do; the rest is read from the line between. None
            measures all.
        accepted: metric -> least value of acceptable images, the changes that are looked for.
        num_inference_steps: T of plans that do not say theirs, and of receivers.
        guidance_scale: of the sampler; None takes the model's guidance.
        batch_size: latents a forward.
        requests_per_cell: that are measured at once, and whose trajectories are kept together.
        channel: name of the link, or a mapping of `name` and parameters.
        device: where it runs; "auto" is the GPU where there is one.
        options: networks that stand in for the model's, and how they run.
        codecs: of images that are sent, beside raw pixels: what is left of the noise-free images of every T.

    Raises:
        ValueError: a value that is not allowed.
    """

    model: str | None
    receivers: Mapping[str, ReceiverAxes]
    requests: Mapping[str, int]
    snr_db: tuple[float, ...]
    first_snr_db: tuple[float, ...] | None = None
    accepted: Mapping[str, float] = field(default_factory=lambda: dict(ACCEPTED))
    prompts: tuple[str, ...] | None = None
    num_inference_steps: int = 20
    guidance_scale: float | None = None
    batch_size: int = 128
    requests_per_cell: int = 16
    seed: int = 0
    channel: str | Mapping[str, Any] = "awgn"
    device: str = AUTO
    options: ModelOptions = DEFAULT_OPTIONS
    codecs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        make_channel(self.channel)
        object.__setattr__(self, "codecs", tuple(dict.fromkeys(map(_lossy_codec, self.codecs))))
        if self.model is not None:
            check_source("the model", self.model)
        if not self.receivers:
            raise ValueError("receivers must name one or more")
        for name in self.receivers:
            receiver_named(name)
        for name in ("num_inference_steps", "batch_size", "requests_per_cell"):
            checks.integer(name, getattr(self, name), 1)
        checks.keys("measure.requests", self.requests, PARTS, PARTS)
        for part, count in self.requests.items():
            checks.integer(f"requests.{part}", count, 1)
        if not self.requests:
            raise ValueError(f"requests must say how many, for one of {', '.join(PARTS)} or more")
        if self.prompts is not None and not self.prompts:
            raise ValueError("prompts is an empty list: give one or more, or null for captioned scenes")
        checks.points("snr_db", self.snr_db)
        if self.first_snr_db is not None and not {*self.first_snr_db} <= {*self.snr_db}:
            raise ValueError(f"first_snr_db must be some of snr_db, got {self.first_snr_db}")
        if self.first_snr_db is not None and not {self.snr_db[0], self.snr_db[-1]} <= {*self.first_snr_db}:
            raise ValueError(f"first_snr_db must hold both ends of snr_db, got {self.first_snr_db}")
        checks.keys("measure.accepted", self.accepted, METRICS, METRICS)

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
        listed = ("snr_db", "first_snr_db", "prompts")
        lists = {name: None if measure[name] is None else tuple(measure[name]) for name in listed}
        lists["codecs"] = tuple(measure.get("codecs") or ())
        steps = checks.integer("num_inference_steps", measure["num_inference_steps"], 1)
        wanted = {name: each for name, each in measure["receivers"].items() if each is not None}
        axes = {name: ReceiverAxes.from_config(name, each, steps) for name, each in wanted.items()}
        model_fields = {"model": transceiver["path"], "guidance_scale": transceiver["guidance_scale"]}
        model_fields |= {"device": transceiver["device"], "options": options}
        given = {**measure, **lists, **model_fields, "receivers": axes, "channel": channel}
        return checks.make(cls, given, "measure")

    def requests_of(self, part: str) -> tuple[Request, ...]:
        """The requests of a part; more of them begin with the same."""
        of_prompts, of_seeds = np.random.default_rng((self.seed, PARTS.index(part))).spawn(2)
        prompts = tuple(scene.caption for scene in ALL_SCENES) if self.prompts is None else self.prompts
        count = self.requests[part]
        rounds = -(-count // len(prompts))
        order = np.concatenate([of_prompts.permutation(len(prompts)) for _ in range(rounds)])[:count]
        return tuple(Request(prompts[i], int(of_seeds.integers(2**31))) for i in order)

    def count(self, receiver: str, part: str) -> int:
        """How many requests of a part are measured of a receiver."""
        asked = getattr(self.receivers[receiver], part)
        return self.requests[part] if asked is None else min(asked, self.requests[part])

    def block(self, part: str, index: int) -> slice:
        """The requests of a part as they are measured at once."""
        start = index * self.requests_per_cell
        return slice(start, min(start + self.requests_per_cell, self.requests[part]))


def _lossy_codec(codec: str) -> str:
    name = full_codec(codec)
    if codec_payload(name) != "image" or name in LOSSLESS_CODECS:
        raise ValueError(f"measure.codecs must be lossy codecs of images, {', '.join(DEFAULT_QUALITY)}, got {codec!r}")
    return name


def snrs_measured(params: MeasureParams) -> int:
    """SNRs that a channel draw is measured at, on average."""
    levels = len(params.snr_db)
    return levels if params.first_snr_db is None else min(levels, len(params.first_snr_db) + SEARCHED_SNRS)
