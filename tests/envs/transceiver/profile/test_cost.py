"""The cost of a profile, counted against a measurement that really runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from envs.transceiver.model.guided_unet import GuidedUNet
from envs.transceiver.profile.cost import profile_cost
from envs.transceiver.profile.measurement import SharedRuns, transceiver_of
from envs.transceiver.profile.settings import MeasureParams


def test_it_is_what_a_measurement_runs(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = {"finetuned": 2, "ignore": 1}
    params = MeasureParams(
        str(tiny_folder), draws, num_requests=3, snr_db=(-6.0, 0.0, 6.0), num_inference_steps=4, batch_size=5
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
    runs = SharedRuns(transceiver_of(params), params.requests(), params.batch_size)
    for name, count in draws.items():
        for split in range(5):
            runs.measure(name, split, params.snr_db, range(count))
    cost = profile_cost(draws, {"finetuned": False, "ignore": True}, requests=3, snrs=3, steps=4)
    assert (cost.forwards, cost.decodings) == (latents["forwards"], latents["decodings"])


def test_the_default_profile_of_stable_diffusion() -> None:
    """By hand: 190 steps a draw over splits 1 to 20, 912 cells a split and draw, and split 0 and trajectories apart."""
    draws = {"finetuned": 6, "rematch": 3, "ignore": 3}
    guided = {"finetuned": False, "rematch": True, "ignore": True}
    cost = profile_cost(draws, guided, requests=48, snrs=19, steps=20)
    assert cost.forwards == 912 * 190 * (6 + 2 * 3 + 2 * 3) + 48 * 20 * 5 + 48 * 20 * 2
    assert cost.decodings == 912 * 20 * 12 + 48 * 3 + 48
    assert 3.0e18 < cost.flops() < 3.1e18
