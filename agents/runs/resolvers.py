"""What the configurations compute with `${name:...}`."""

from __future__ import annotations

from omegaconf import OmegaConf


def run_folder(resume: str | None, new: str) -> str:
    """The folder of a run: that of the interrupted one, or a new one."""
    return new if resume is None else str(resume)


def register_resolvers() -> None:
    """Make `${run_folder:...}` known; calling it again changes nothing."""
    OmegaConf.register_new_resolver("run_folder", run_folder, replace=True)
