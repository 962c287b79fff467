"""The DDIM schedule of a model's folder, whatever scheduler the folder was saved with."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import diffusers
from diffusers import DDIMScheduler
from diffusers.schedulers import KarrasDiffusionSchedulers

from envs.transceiver.prediction import PREDICTIONS

CONFIG = "scheduler_config.json"
SAMPLERS = {*(scheduler.name for scheduler in KarrasDiffusionSchedulers), "LCMScheduler"} - {"EDMEulerScheduler"}
"""Schedulers over the same discrete diffusion process as DDIM's."""
NOISE = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")
GRID = ("timestep_spacing", "steps_offset", "set_alpha_to_one")
STABLE_DIFFUSION: dict[str, Any] = {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}
"""The grid where neither the file nor the class of its sampler speaks of it."""


def load_ddim(folder: Path) -> DDIMScheduler:
    """The diffusion process that a model was trained on, on DDIM's grid.

    A multistep sampler (PNDM, DPM-Solver) carries a history and cannot be handed over between two nodes: of its
    configuration the noise schedule is kept, with the defaults of its own class where the file says nothing, and
    DDIM runs on it.

    Args:
        folder: holds scheduler_config.json.

    Raises:
        ValueError: no such file, a scheduler of another family (flow matching, say), or a schedule that the
            deterministic step cannot run on.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        name = config.get("_class_name", "DDIMScheduler")
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{folder / CONFIG} cannot be read: {error}") from error
    if name not in SAMPLERS:
        raise ValueError(f"the scheduler {name} in {folder} does not sample the diffusion process of DDIM")
    own = {**STABLE_DIFFUSION, **_defaults(getattr(diffusers, name)), **config}
    if own.get("rescale_betas_zero_snr"):
        raise ValueError(f"the schedule in {folder} ends without any signal (rescale_betas_zero_snr): not supported")
    prediction = own.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(f"the model in {folder} predicts {prediction!r}, allowed: {', '.join(PREDICTIONS)}")
    kept = {key: own[key] for key in (*NOISE, *GRID) if key in own}
    try:
        return DDIMScheduler(**kept, clip_sample=False)
    except NotImplementedError as error:
        raise ValueError(f"the noise schedule in {folder} is not one of DDIM's: {error}") from error


def _defaults(scheduler: type) -> dict[str, Any]:
    """What a scheduler's constructor takes where it is told nothing."""
    parameters = inspect.signature(scheduler.__init__).parameters.values()  # type: ignore[misc]
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}
