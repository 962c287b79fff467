"""Devices: how long each module takes on them, how fast they compute, and their power.

Seconds are those of Stable Diffusion v1-5 at 512 x 512 when the whole device is available, as the authors of
the SemAIGC paper use them; clocks, cores and board powers are the vendor's data sheets. The effective throughput
is calibrated to the authors' step: the 1,606.5 GFLOP of a guided step (`envs.costs.operations`) in 0.200 s on the
RTX A6000 and in 0.368 s on the GTX 1080 Ti, which is 21 % and 39 % of the data sheets' 38.7 and 11.3 TFLOP/s in
single precision.

The cloud's A100 is ours, no paper has one: fal.ai's public benchmarks (github.com/fal-ai/stable-diffusion-benchmarks)
give 1.604 s for 50 guided steps of Stable Diffusion v1-5 with diffusers in half precision on an A100 of 80 GB, 0.037 s
less with a tiny decoder. So a step of 0.031 s, 0.04 s for decoding, and the rest for the text. That is a well-kept
service beside the authors' plain edge: with the same software on both the ratio would be smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from envs.checks import import_object, make, number
from envs.costs.formulas import serial_share
from envs.costs.operations import counted_operations
from envs.costs.payloads import LATENT_BITS
from envs.plans import DENOISERS, Module


@dataclass(frozen=True)
class Device:
    """A processor of the edge, of the user or of the cloud.

    Attributes:
        name: how reports call it.
        clock_hz: cycles per second of each core, nu at full availability.
        cores: number of cores m.
        step_s: one denoising step of the generator at full availability, both forwards of its guidance included.
        power_w: power while it computes (thermal design power).
        text_encoder_s: encoding a prompt, at full availability.
        vae_decoder_s: decoding a latent, at full availability.
        parallel_fraction: share tau of the work that runs on all cores. Own choice: the paper gives none, and
            it only sets the scale of the density, since `step_s` is what is known.
        finetune_step_s: one denoising step of the receiver's network (`finetune_unet` in a plan) as it runs there,
            at full availability; None: it takes `step_s` too, as the authors of SemAIGC have it.
        light_step_s: one denoising step of the light fine-tuned network (`finetune_light_unet`), likewise.
        compute_flops_per_s: effective throughput at full availability; None: not known, so `costs=flops` cannot
            price the device.

    Raises:
        ValueError: a number that is not positive, or `parallel_fraction` lies outside [0, 1].
    """

    name: str
    clock_hz: float
    cores: int
    step_s: float
    power_w: float
    text_encoder_s: float = 0.75
    vae_decoder_s: float = 1.196
    parallel_fraction: float = 0.99
    finetune_step_s: float | None = None
    compute_flops_per_s: float | None = None
    light_step_s: float | None = None

    def __post_init__(self) -> None:
        number("parallel_fraction", self.parallel_fraction, 0.0, 1.0)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name not in ("name", "parallel_fraction") and not (value is None and field.default is None):
                number(f"{field.name} of {self.name}", value, above=0.0)

    @property
    def density_cycles_per_bit(self) -> float:
        """Processing density W of a step of the generator: eq. 20 with Stable Diffusion's latent gives `step_s`."""
        return self._density_cycles_per_bit(self.module_s("unet"))

    @property
    def finetune_density_cycles_per_bit(self) -> float:
        """Processing density W of a step of the receiver's network, likewise."""
        return self._density_cycles_per_bit(self.module_s("finetune_unet"))

    def module_s(self, module: Module) -> float:
        """Seconds of one forward step of a module at full availability and density factor 1.

        The papers give none for three of them. Own assumptions: the image encoder of the autoencoder takes the
        decoder's seconds times the ratio of their counted operations, 0.444; a sketch, of a quarter of the pixels,
        is decoded in a quarter of the decoder's seconds; completing it takes as long as decoding an image.
        """
        own = {"finetune_unet": self.finetune_step_s, "finetune_light_unet": self.light_step_s}.get(module)
        if module in DENOISERS:
            return self.step_s if own is None else own
        return self.text_encoder_s if module == "text_encoder" else _decodings(module) * self.vae_decoder_s

    def _density_cycles_per_bit(self, step_s: float) -> float:
        return step_s * self.clock_hz / (LATENT_BITS * serial_share(self.cores, self.parallel_fraction))


def _decodings(module: Module) -> float:
    """How many times the autoencoder's decoder a module of its kind takes."""
    if module == "vae_encoder":
        counted = counted_operations()
        return counted["vae_encoder"].flops / counted["vae_decoder"].flops
    return 0.25 if module == "sketch_decoder" else 1.0


RTX_A6000 = Device("RTX A6000", clock_hz=1.80e9, cores=10752, step_s=0.200, power_w=300.0, compute_flops_per_s=8.03e12)
GTX_1080_TI = Device(
    "GTX 1080 Ti", clock_hz=1.582e9, cores=3584, step_s=0.368, power_w=250.0, compute_flops_per_s=4.37e12
)
A100 = Device(
    "A100",
    clock_hz=1.41e9,
    cores=6912,
    step_s=0.031,
    power_w=400.0,
    text_encoder_s=0.014,
    vae_decoder_s=0.04,
    compute_flops_per_s=5.18e13,
)

DeviceChoice = str | Mapping[str, Any] | Device
"""The values of a `Device` by name, `module:NAME` or `FILE.py:NAME` of one (`envs.checks.import_object`), or itself."""


def make_device(where: str, choice: DeviceChoice) -> Device:
    """Make the device that a configuration names.

    Raises:
        ValueError: no device, unknown or missing values, or one that a device refuses.
    """
    if isinstance(choice, Mapping):
        return make(Device, choice, where)
    device = import_object(choice) if isinstance(choice, str) and ":" in choice else choice
    if not isinstance(device, Device):
        raise ValueError(
            f"{where} must be an envs.costs.Device, its values by name, or module:NAME or FILE.py:NAME of one, "
            f"got {device!r}"
        )
    return device
