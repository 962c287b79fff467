from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.costs import GTX_1080_TI, RTX_A6000, Device, Payloads, counted_operations

from .equations import amdahl_s


@pytest.mark.parametrize(("device", "step_s"), [(RTX_A6000, 0.200), (GTX_1080_TI, 0.368)])
def test_the_authors_seconds(device: Device, step_s: float) -> None:
    assert device.module_s("unet") == device.module_s("finetune_unet") == step_s
    assert device.module_s("text_encoder") == 0.75
    assert device.module_s("vae_decoder") == 1.196


@pytest.mark.parametrize("device", [RTX_A6000, GTX_1080_TI])
def test_the_throughput_is_calibrated_to_a_guided_step(device: Device) -> None:
    assert device.compute_flops_per_s == pytest.approx(2 * counted_operations()["unet"].flops / device.step_s, rel=2e-3)


def test_the_receivers_step_may_have_its_own_seconds() -> None:
    light = replace(GTX_1080_TI, finetune_step_s=0.092)
    assert (light.module_s("unet"), light.module_s("finetune_unet")) == (0.368, 0.092)
    assert light.density_cycles_per_bit == GTX_1080_TI.density_cycles_per_bit
    assert light.finetune_density_cycles_per_bit == pytest.approx(light.density_cycles_per_bit / 4)
    assert GTX_1080_TI.finetune_density_cycles_per_bit == GTX_1080_TI.density_cycles_per_bit


@given(st.floats(1e8, 1e10), st.integers(1, 20_000), st.floats(1e-3, 10.0), st.floats(0.0, 1.0), st.floats(0.01, 1.0))
def test_density_gives_the_step_back_by_amdahls_law(
    clock_hz: float, cores: int, step_s: float, parallel_fraction: float, availability: float
) -> None:
    device = Device("any", clock_hz, cores, step_s, 1.0, parallel_fraction=parallel_fraction)
    seconds = amdahl_s(
        device.density_cycles_per_bit, Payloads().latent, clock_hz * availability, cores, parallel_fraction
    )
    assert seconds == pytest.approx(step_s / availability)


@pytest.mark.parametrize(
    "name",
    [
        "clock_hz",
        "cores",
        "step_s",
        "power_w",
        "text_encoder_s",
        "vae_decoder_s",
        "finetune_step_s",
        "compute_flops_per_s",
    ],
)
@pytest.mark.parametrize("value", [0, -1.0, math.nan, math.inf])
def test_a_device_needs_positive_numbers(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} of RTX A6000 must be a finite number > 0, got"):
        replace(RTX_A6000, **{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_the_parallel_fraction_is_a_share(value: float) -> None:
    with pytest.raises(ValueError, match=r"parallel_fraction must be a finite number in \[0, 1\], got"):
        replace(RTX_A6000, parallel_fraction=value)
