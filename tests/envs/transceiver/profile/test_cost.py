"""The cost of a profile, counted against a measurement that really runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from envs.costs import counted_operations
from envs.transceiver.model.guided_unet import GuidedUNet
from envs.transceiver.profile.cost import UNET_FLOPS, VAE_DECODER_FLOPS, profile_cost
from envs.transceiver.profile.files import cell_files
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.profile.shards import Worker


def test_it_is_what_a_measurement_runs(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receivers = {"finetuned": ReceiverAxes((4, 2), draws=2), "ignore": ReceiverAxes((4,), draws=1, test=1)}
    params = MeasureParams(
        str(tiny_folder), receivers, {"train": 3, "test": 2}, snr_db=(-6.0, 0.0, 6.0), num_inference_steps=4
    )
    latents = {"forwards": 0, "decodings": 0}

    def counting(what: str, times: int, original: Callable) -> Callable:
        def counted(module: object, z: torch.Tensor, *rest: object) -> object:
            latents[what] += times * len(z)
            return original(module, z, *rest)

        return counted

    for what, times, network, method in (
        ("forwards", 1, UNet2DConditionModel, "forward"),
        ("forwards", 2, GuidedUNet, "forward"),
        ("decodings", 1, AutoencoderKL, "decode"),
    ):
        monkeypatch.setattr(network, method, counting(what, times, getattr(network, method)))
    worker = Worker(replace(params, requests_per_cell=1), tmp_path, SharedRuns)
    for cell in cell_files(worker.params, tmp_path):
        worker.measure(cell)
    cost = profile_cost(params)
    assert (cost.forwards, cost.light_forwards, cost.decodings) == (latents["forwards"], 0, latents["decodings"])


def test_a_profile_of_stable_diffusion() -> None:
    """By hand: 190 steps a link over splits 1 to 20, and split 0 and trajectories apart."""
    receivers = {"finetuned": ReceiverAxes((20,), draws=6), "rematch_light": ReceiverAxes((20,), draws=3)}
    levels = tuple(float(snr) for snr in range(19))
    cost = profile_cost(MeasureParams(None, receivers, {"train": 48}, snr_db=levels))
    assert cost.forwards == 48 * 190 * (1 + 19 * 6) + 48 * 20 + 48 * 20 * 2
    assert cost.light_forwards == 2 * (48 * 190 * (1 + 19 * 3) + 48 * 20)
    assert cost.decodings == 48 * (20 * (1 + 19 * 6) + 20 * (1 + 19 * 3) + 2 + 1)
    light = counted_operations()["bk_sdm_small"].flops
    assert cost.flops() == pytest.approx(
        cost.forwards * UNET_FLOPS + cost.light_forwards * light + cost.decodings * VAE_DECODER_FLOPS
    )
    searched = profile_cost(MeasureParams(None, receivers, {"train": 48}, levels, first_snr_db=(0.0, 18.0)))
    assert searched.flops() < 0.3 * cost.flops()
