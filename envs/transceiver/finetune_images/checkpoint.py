"""Checkpoints from which a fine-tuning goes on exactly: accelerate's state, the average, and what they belong to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from safetensors.torch import load_file, save_file

from envs.files import usual_modes

HEADER, AVERAGE, PREFIX = "run.json", "average.safetensors", "checkpoint-"


def save(accelerator: Accelerator, average: EMAModel, output: Path, step: int, belongs_to: Mapping[str, Any]) -> None:
    """Write `checkpoint-STEP`, whole or not at all, and remove older ones; all processes call it.

    Args:
        accelerator: after an optimiser step.
        average: of the weights.
        output: folder of the run.
        step: optimiser steps done.
        belongs_to: the settings, data and network of the run, ready for JSON.
    """
    final = output / f"{PREFIX}{step:08d}"
    partial = final.with_name(f"{final.name}.partial")
    if accelerator.is_main_process:
        shutil.rmtree(partial, ignore_errors=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(partial))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        weights = {str(i): p.detach().contiguous().cpu() for i, p in enumerate(average.shadow_params)}
        save_file(weights, partial / AVERAGE)
        (partial / HEADER).write_text(json.dumps({"step": step, **belongs_to}, indent=2))
        usual_modes(partial)
        older = checkpoints(output)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        for folder in older:
            if folder != final:
                shutil.rmtree(folder)
    accelerator.wait_for_everyone()


def checkpoints(output: Path) -> list[Path]:
    """The whole checkpoints of a run, oldest first."""
    found = (folder for folder in output.glob(f"{PREFIX}*") if not folder.name.endswith(".partial"))
    return sorted(folder for folder in found if (folder / HEADER).is_file())


def check(output: Path, belongs_to: Mapping[str, Any]) -> int:
    """Optimiser steps that a run has done, 0 for a new one; before anything is loaded.

    Raises:
        ValueError: its last checkpoint is of another architecture, other data or other settings.
    """
    found = checkpoints(output)
    if not found:
        return 0
    try:
        header = json.loads((found[-1] / HEADER).read_text(encoding="utf-8"))
        step, network, settings, data = (header[key] for key in ("step", "network", "settings", "data"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{found[-1] / HEADER} is not the header of a checkpoint") from error
    if differing := _difference(network, belongs_to["network"]):
        raise ValueError(f"the checkpoint {found[-1]} is of another architecture: {differing}")
    if data != belongs_to["data"]:
        raise ValueError(f"the checkpoint {found[-1]} was trained on other images or captions: give another output")
    if differing := _difference(settings, belongs_to["settings"]):
        raise ValueError(f"the run in {output} was started otherwise: {differing}; give another output")
    return int(step)


def load(accelerator: Accelerator, average: EMAModel, output: Path, step: int) -> None:
    """Take the state of the last checkpoint, which `check` found."""
    folder = checkpoints(output)[-1]
    accelerator.load_state(str(folder))
    weights = load_file(folder / AVERAGE)
    for index, parameter in enumerate(average.shadow_params):
        parameter.copy_(weights[str(index)])
    average.optimization_step = step


def architecture_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a UNet's configuration that make its architecture (no private ones), ready for JSON."""
    return json.loads(json.dumps({key: value for key, value in config.items() if not key.startswith("_")}))


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The first entries that differ, in words; empty where none does."""
    keys = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    return ", ".join(f"{key} {there.get(key)} there and {here.get(key)} here" for key in keys[:3])
