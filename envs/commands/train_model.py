"""Train the embedded model: `python -m envs.commands.train_model` (Hydra, configs/train_model.yaml).

About four hours of one CPU core; every stage shows how long it still takes and keeps its checkpoint in `folder`:
an interrupted run goes on where it stopped, and a finished stage is loaded instead of trained.
"""

from __future__ import annotations

import hydra
from omegaconf import DictConfig

from envs.command_line import CONFIGS, one_line_errors


@hydra.main(config_path=str(CONFIGS), config_name="train_model", version_base="1.3")
def main(config: DictConfig) -> None:
    """Run the stages that the configuration names, in their order."""
    with one_line_errors():
        from envs.transceiver.train_embedded.stages import (
            ModelTraining,
        )  # heavy imports wait until help and mistakes are dealt with

        training = ModelTraining(config)
        for stage in config.stages:
            training.run(stage)


if __name__ == "__main__":
    with one_line_errors():
        main()
