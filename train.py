"""Train an agent and compare it with the other policies: `python train.py --help`."""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from agents.runs.resolvers import register_resolvers
from envs.command_line import one_line_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="train")
def main(config: DictConfig) -> None:
    """Train as `configs/train.yaml` says."""
    register_resolvers()  # a launcher sends this function elsewhere, with the modules that it names
    run = HydraConfig.get()
    with one_line_errors(clean=Path(run.runtime.output_dir)):
        from agents.runs.training import train  # heavy imports wait until help and mistakes are dealt with

        train(config, Path(run.runtime.output_dir), run.overrides.task)


if __name__ == "__main__":
    with one_line_errors():
        main()
