"""The executor: an interpreter that walks the stages of any plan of known modules. Light to import.

At each node lies an item (`envs.transceiver.items`). A `Compute` stage hands it to the module of its name
(`envs.transceiver.modules`); a `Transmit` stage moves it, and the link does to it what it does: a latent crosses the
noisy channel, an image arrives as coded bits, without error: as a codec's file where the stage names one, and what lies
at its end is the decoded file. No plan is recognised by its name or pattern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from envs.channels.channel import Received, check_snr_db
from envs.plans import Compute, Plan, Stage, Transmit, expand
from envs.transceiver.items import Image, Item, Latent
from envs.transceiver.modules import MODULES
from envs.units import FloatArray

if TYPE_CHECKING:
    from envs.transceiver.receivers import Predict
    from envs.transceiver.transceiver import Transceiver


def refusal(plan: Plan) -> str:
    """Why a plan cannot be executed; empty if it can."""
    if plan.requests > 1:
        return f"it serves {plan.requests} different prompts from shared steps"
    for stage in plan.stages:
        if (stage.copies if isinstance(stage, Transmit) else stage.nodes) > 1:
            return "several nodes work on its request"
        if isinstance(stage, Transmit) and stage.sends_weights:
            return "it sends weights, which stay there: the requests that follow are those of the plan without"
    if any(isinstance(stage, Compute) and stage.module == "vae_encoder" for stage in plan.stages):
        return "its request is an image, the transceiver's are prompts"
    return _broken_chain(plan)


def _broken_chain(plan: Plan) -> str:
    """Why its stages do not turn noise into an image: they are walked with no more than the kinds of the items."""
    here, done, crossed = "latent", 0, False
    for stage in plan.stages:
        if isinstance(stage, Transmit):
            if stage.payload not in ("latent", "image"):
                return f"the transceiver has no {stage.payload}"
            if stage.payload != here:
                return f"it sends the {stage.payload} of {'an' if here == 'image' else 'a'} {here}"
            crossed |= here == "latent"
            continue
        if stage.module not in MODULES:
            return f"the transceiver has no {stage.module}"
        if stage.module == "text_encoder":
            continue
        if here == "image":
            return f"after decoding it goes on with {stage.module}"
        if stage.denoises:
            done += stage.steps
            if (crossed or stage.module != "unet") and done < plan.num_inference_steps:
                return f"{stage.module} stops before the last step: a receiver takes all that remain"
        elif done < plan.num_inference_steps:
            return f"it decodes after {done} of {plan.num_inference_steps} steps"
        else:
            here = "image"
    return "" if here == "image" else "it ends with a latent that is never decoded"


def coded_image(image: Image, codec: str | None) -> Image:
    """What is left of images that become files; those that are files of this codec already stay."""
    if image.codec == codec:
        return image
    if codec is None:
        return Image(image.pixels)
    from envs.transceiver.codecs.images import decode_images, encode_images  # Pillow, only where something is coded

    files = encode_images(image.pixels, codec)
    return Image(decode_images(files, image.pixels), codec, files)


def executable(plan: Plan | str, num_inference_steps: int) -> Plan:
    """The plan of a name, or the plan itself, where it can be executed.

    Args:
        plan: a plan or a name.
        num_inference_steps: T of a name that does not say its own.

    Raises:
        ValueError: several plans, or one that cannot be executed yet.
    """
    chosen, *others = expand(plan, num_inference_steps)
    if others:
        raise ValueError(f"execute one plan at a time, got the {1 + len(others)} of {plan!r}")
    if reason := refusal(chosen):
        raise ValueError(f"plan {chosen.name} cannot be executed: {reason}")
    return chosen


def check_requests(
    prompts: Sequence[str],
    seeds: Sequence[int],
    snr_db: float | Sequence[float] | None,
    channel_seeds: Sequence[int] | None,
) -> None:
    """Refuse requests that do not fit together.

    Raises:
        ValueError: no list of prompts, lengths that differ, or an SNR that is not finite.
    """
    if isinstance(prompts, str):
        raise ValueError(f"prompts must be a list of strings, got the string {prompts!r}")
    if not prompts:
        raise ValueError("prompts is empty: give one or more")
    if len(prompts) != len(seeds):
        raise ValueError(f"give one seed for each of one or more prompts, got {len(prompts)} and {len(seeds)}")
    if channel_seeds is not None and len(channel_seeds) != len(seeds):
        raise ValueError(f"give one channel seed for each request, got {len(channel_seeds)} for {len(seeds)}")
    if snr_db is not None:
        levels = np.asarray(snr_db, dtype=np.float64)
        check_snr_db(levels)
        if levels.shape not in ((), (len(prompts),)):
            raise ValueError(f"give one SNR, or one for each request, got {levels.size} for {len(prompts)}")


@dataclass
class Execution:
    """One plan on the way, for B requests.

    Attributes:
        transceiver: what computes and sends.
        prompts, seeds: of the requests.
        snr_db: of the link in dB, one or B; None is a perfect link.
        receiver: name of the receiver that the fine-tuning network stands for.
        channel_seeds: draws of the channel; None is the first of each.
        start: what the first denoising stage begins with, or the latent that is handed over.
        done: denoising steps of the plan that lie behind; those before `start` are not done again.
        sent: payload -> bytes that crossed a wireless link, all requests together; those of the backhaul are not in it.
        handed_over: the latent before and after its last link; both are `start` where none crosses.
        channel_uses: complex symbols on the link, float64 [B].
        crossings: how often latents have met the channel's noise, which is another one each time.
    """

    transceiver: Transceiver
    prompts: Sequence[str]
    seeds: Sequence[int]
    snr_db: float | Sequence[float] | None
    receiver: str
    channel_seeds: Sequence[int] | None
    start: Latent
    done: int = 0
    sent: Counter[str] = field(default_factory=Counter)
    predictors: dict[tuple[str, bool], Predict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.handed_over = self.start, self.start
        self.channel_uses: FloatArray = np.zeros(len(self.seeds))
        self.crossings = 0

    def run(self, stages: Sequence[Stage]) -> Item | None:
        """Walk stages, to what lies at the user in the end."""
        item: Item | None = None
        for stage in stages:
            if isinstance(stage, Compute):
                item = MODULES[stage.module](self, item, stage)
                self.done += stage.steps if stage.denoises else 0
            else:
                item = self._carry(self.start if item is None else item, stage)
        return item

    def latent(self, item: Item | None) -> Latent:
        """The latent at a node; where nothing is yet, that of the request's seed.

        Raises:
            ValueError: an item of another kind, or a latent of another schedule.
        """
        if item is None:
            return self.start
        if not isinstance(item, Latent):
            raise ValueError(f"expected a latent, got an {type(item).__name__.lower()}")
        if item.schedule != self.start.schedule:
            raise ValueError(f"the latent is of the schedule {item.schedule!r}, here is {self.start.schedule!r}")
        return item

    def predictor(self, network: str, guided: bool) -> Predict:
        """A network's prediction for the prompts, which are encoded once for each."""
        key = network, guided
        if key not in self.predictors:
            self.predictors[key] = self.transceiver.predictor(network, guided, self.prompts)
        return self.predictors[key]

    def receive(self, latent: Latent, receiver: str, stage: Compute) -> Latent:
        """Let a receiver take the steps that remain."""
        from envs.transceiver.receivers import receive  # torch, only where something runs

        clean = receive(self, receiver, latent)
        return replace(latent, values=clean, step=self.done + stage.steps, noise_variance=None, gain=1.0)

    def _carry(self, item: Item, stage: Transmit) -> Item:
        if isinstance(item, Image):
            image = coded_image(item, stage.codec)
            if not stage.is_backhaul:
                self.sent[stage.payload] += image.num_bytes
            return image
        received = replace(item, noise_variance=item.variance)
        if item.step > item.begun:  # otherwise prompt and seed say it all
            values, variance, uses, gain = self._sent(item, stage)
            variance = np.square(gain) * item.variance + variance
            received = replace(item, values=values, noise_variance=variance, gain=item.gain * gain)
            self.channel_uses = self.channel_uses + uses
        self.handed_over = item, received
        return received

    def _sent(self, item: Latent, stage: Transmit) -> Received:
        """A latent at the far end: of a file, by a perfect link or by the noisy one."""
        if stage.codec is not None:
            from envs.transceiver.codecs.latents import latent_codec  # the entropy coder, only where it codes

            codec = latent_codec(stage.codec)
            files = codec.encode(item.values)
            self.sent[stage.payload] += sum(map(len, files))
            return codec.decode(files, item.values)
        self.sent[stage.payload] += item.values.numel()
        if self.snr_db is None:
            return Received(item.values, np.zeros(len(self.seeds)), np.zeros(len(self.seeds)))
        draws = self.channel_seeds or [0] * len(self.seeds)
        streams = self.transceiver.channel_streams(self.seeds, draws, self.crossings)
        self.crossings += 1
        return self.transceiver.channel.send(item.values, self.snr_db, streams)
