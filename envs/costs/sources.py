"""Where a device's seconds come from: its own statement, counted operations, or a stopwatch.

| name | seconds of a module | a step of the generator | a step of the receiver |
|---|---|---|---|
| `paper` | as the device states them | with guidance | the same, unless the device states another |
| `flops` | operations over the device's effective throughput | two forwards | the forwards of its own network |
| `measured` | timed on this machine | as the loaded model runs it | as the loaded model runs it |

Source: own; the second is EUCI's `FLOPs / C` with operations counted instead of assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from envs.checks import choice, number
from envs.costs.devices import Device
from envs.costs.operations import LIGHT_MODELS, counted_operations
from envs.costs.payloads import Payloads

GUIDED_FORWARDS = 2
"""Classifier-free guidance runs a UNet with the prompt and without it (and encodes both)."""


@dataclass(frozen=True)
class ReceiverStep:
    """What the receiver runs in one denoising step; by default, what `finetuned` does.

    Attributes:
        light: a light network, instead of one of the generator's size.
        guided: with classifier-free guidance, in two forwards.
    """

    light: bool = False
    guided: bool = False

    @property
    def forwards(self) -> int:
        """Forwards of the network in one step."""
        return GUIDED_FORWARDS if self.guided else 1


@runtime_checkable
class CostSource(Protocol):
    """Gives devices their seconds; `payloads` are the sizes that go with them."""

    @property
    def name(self) -> str:
        """How configurations and reports call it."""

    @property
    def payloads(self) -> Payloads:
        """Bits of a latent and of an image."""

    def devices(self, edge: Device, user: Device, step: ReceiverStep) -> tuple[Device, Device]:
        """Edge and user with the seconds of this source, for a receiver that runs `step`.

        Raises:
            ValueError: the source cannot price these devices or this step.
        """

    def cloud(self, device: Device) -> Device:
        """The cloud's device with the seconds of this source.

        Raises:
            ValueError: the source cannot price it.
        """


@dataclass(frozen=True)
class Stated:
    """The seconds that the devices state (`costs=paper`)."""

    payloads: Payloads = field(default_factory=Payloads)
    name = "paper"

    def devices(self, edge: Device, user: Device, step: ReceiverStep) -> tuple[Device, Device]:
        """Both devices as they are."""
        return edge, user

    def cloud(self, device: Device) -> Device:
        """The device as it is."""
        return device


@dataclass(frozen=True)
class Counted:
    """Counted operations of Stable Diffusion v1-5 over effective throughput (`costs=flops`).

    Attributes:
        light_model: the UNet of a light receiver and of everything at the user by a light network, one of
            `LIGHT_MODELS`.

    Raises:
        ValueError: an unknown light UNet.
    """

    light_model: str = "bk_sdm_small"
    payloads: Payloads = field(default_factory=Payloads)
    name = "flops"

    def __post_init__(self) -> None:
        choice("light_model", self.light_model, LIGHT_MODELS)

    def devices(self, edge: Device, user: Device, step: ReceiverStep) -> tuple[Device, Device]:
        """Both devices with `FLOPs / compute_flops_per_s` for every module."""
        return self._priced(edge, step), self._priced(user, step)

    def cloud(self, device: Device) -> Device:
        """The device likewise."""
        return self._priced(device, ReceiverStep())

    def _priced(self, device: Device, step: ReceiverStep) -> Device:
        if device.compute_flops_per_s is None:
            raise ValueError(f"costs=flops needs the effective throughput compute_flops_per_s of {device.name}")
        seconds = {name: one.flops / device.compute_flops_per_s for name, one in counted_operations().items()}
        return replace(
            device,
            text_encoder_s=GUIDED_FORWARDS * seconds["text_encoder"],
            step_s=GUIDED_FORWARDS * seconds["unet"],
            finetune_step_s=step.forwards * seconds[self.light_model if step.light else "unet"],
            light_step_s=seconds[self.light_model],
            vae_decoder_s=seconds["vae_decoder"],
        )


@dataclass(frozen=True)
class Timed:
    """Seconds of a loaded model on this machine (`costs=measured`), made by `envs.transceiver.timed_costs`.

    Clock, cores and power of the devices stay as they are: they set the scale of the observation and the watts.

    Attributes:
        machine: how reports call both devices.
        text_encoder_s, step_s, finetune_step_s, vae_decoder_s: of one request.
        step: the receiver's step that was timed.
        payloads: of the loaded model.
        edge_slowdown, user_slowdown, cloud_slowdown: how many times slower than this machine each device is.
        light_step_s: of the light fine-tuned network; None where the model has none.

    Raises:
        ValueError: a slowdown that is not positive and finite.
    """

    machine: str
    text_encoder_s: float
    step_s: float
    finetune_step_s: float
    vae_decoder_s: float
    step: ReceiverStep
    payloads: Payloads
    edge_slowdown: float = 1.0
    user_slowdown: float = 1.0
    cloud_slowdown: float = 1.0
    light_step_s: float | None = None
    name = "measured"

    def __post_init__(self) -> None:
        for name in ("edge_slowdown", "user_slowdown", "cloud_slowdown"):
            number(name, getattr(self, name), above=0.0)

    def devices(self, edge: Device, user: Device, step: ReceiverStep) -> tuple[Device, Device]:
        """Both devices with the seconds of this machine, times their slowdown."""
        if step != self.step:
            raise ValueError(f"the costs were timed for {self.step}, not for {step}: time them for this receiver")
        return self._priced(edge, self.edge_slowdown), self._priced(user, self.user_slowdown)

    def cloud(self, device: Device) -> Device:
        """The device with the seconds of this machine, times its slowdown."""
        return self._priced(device, self.cloud_slowdown)

    def _priced(self, device: Device, slowdown: float) -> Device:
        return replace(
            device,
            name=self.machine if slowdown == 1.0 else f"{self.machine}, {slowdown:g} times slower",
            text_encoder_s=slowdown * self.text_encoder_s,
            step_s=slowdown * self.step_s,
            finetune_step_s=slowdown * self.finetune_step_s,
            light_step_s=None if self.light_step_s is None else slowdown * self.light_step_s,
            vae_decoder_s=slowdown * self.vae_decoder_s,
        )


def cost_source(costs: str | CostSource) -> CostSource:
    """A source by its name, or the source itself.

    Raises:
        ValueError: an unknown name, or `measured`, which has to be timed first.
    """
    if costs == "measured":
        raise ValueError(
            "costs 'measured' have to be timed on a loaded model: "
            "give costs=envs.transceiver.timed_costs(transceiver, receiver)"
        )
    named: dict[object, CostSource] = {"paper": Stated(), "flops": Counted()}
    if isinstance(costs, str) and costs in named:
        return named[costs]
    if isinstance(costs, str) or not isinstance(costs, CostSource):
        raise ValueError(f"unknown costs {costs!r}; allowed: paper, flops, measured, or an envs.costs.CostSource")
    return costs
