"""Schedulers of other samplers, read as DDIM's schedule."""

from __future__ import annotations

import json
from pathlib import Path

import diffusers
import pytest
import torch

from envs.transceiver.model.loading import load_ddim

from ..stable_diffusion import PNDM


def written(folder: Path, name: str, **config: object) -> Path:
    (folder / "scheduler_config.json").write_text(json.dumps({"_class_name": name, **config}))
    return folder


@pytest.mark.parametrize("name", ["PNDMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler"])
def test_the_noise_schedule_is_that_of_the_sampler_it_was_saved_with(name: str, tmp_path: Path) -> None:
    scheduler = getattr(diffusers, name)(beta_start=0.001, beta_end=0.02, beta_schedule="scaled_linear")
    scheduler.save_pretrained(tmp_path)
    assert torch.equal(load_ddim(tmp_path).alphas_cumprod, scheduler.alphas_cumprod)


def test_what_the_file_leaves_out_is_the_default_of_its_own_class(tmp_path: Path) -> None:
    pndm = load_ddim(written(tmp_path, "PNDMScheduler", beta_schedule="linear"))
    assert not pndm.config.set_alpha_to_one  # DDIM's own default is one
    assert load_ddim(written(tmp_path, "DDIMScheduler")).config.set_alpha_to_one


def test_the_grid_is_stable_diffusions(tmp_path: Path) -> None:
    ddim = load_ddim(written(tmp_path, "PNDMScheduler", **PNDM))
    ddim.set_timesteps(20)
    assert ddim.timesteps.tolist() == list(range(951, 0, -50))


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("FlowMatchEulerDiscreteScheduler", {}, "FlowMatchEulerDiscreteScheduler .* does not sample"),
        ("PNDMScheduler", {"prediction_type": "flow"}, "predicts 'flow', allowed: epsilon, v_prediction, sample"),
        ("DDIMScheduler", {"rescale_betas_zero_snr": True}, "rescale_betas_zero_snr"),
        ("DDIMScheduler", {"beta_schedule": "magic"}, "magic"),
    ],
)
def test_refused(name: str, config: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        load_ddim(written(tmp_path, name, **config))


def test_no_configuration_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no readable scheduler_config.json"):
        load_ddim(tmp_path)
