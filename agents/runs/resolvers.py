"""What the configurations compute with `${name:...}`: the folders of runs."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from envs.command_line import plain

AUTO, NEVER = "auto", "never"
"""Values of `resume` beside a folder: go on with the run of this very configuration; start a new one."""


def run_folder(resume: str, stem: str, *, _root_: DictConfig) -> str:
    """The folder of a run.

    Args:
        resume: `auto`: a name that depends on the configuration alone, so that the same command finds its run again;
            `never`: one with the time in it; else the folder itself.
        stem: how a new name begins.
    """
    if resume == AUTO:
        kept = [str(key) for key in _root_ if key not in ("hydra", "resume")]  # not all of Hydra's can be resolved yet
        return f"{stem}_{digest(plain(OmegaConf.masked_copy(_root_, kept)))}"
    return f"{stem}_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}" if resume == NEVER else str(resume)


def sweep_folder(stem: str, overrides: ListConfig) -> str:
    """The folder of a multirun: a name that depends on the command's overrides alone, but not on its launcher."""
    return f"{stem}_{digest([override for override in overrides if not override.startswith('launcher=')])}"


def digest(values: Any) -> str:
    """Eight hexadecimal digits that stand for plain values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:8]


def register_resolvers() -> None:
    """Make `${run_folder:...}` and `${sweep_folder:...}` known; calling it again changes nothing.

    The latter is cached, and Hydra hands the cache on: all jobs of a multirun get the folder of the whole, although
    each of them has overrides of its own.
    """
    OmegaConf.register_new_resolver("run_folder", run_folder, replace=True)
    OmegaConf.register_new_resolver("sweep_folder", sweep_folder, use_cache=True, replace=True)


register_resolvers()  # at import, so that a job that was sent elsewhere knows them before it composes its configuration
