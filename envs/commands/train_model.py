"""Train the embedded model: `python -m envs train_model`.

About four hours of one CPU core; every stage shows how long it still takes and keeps its checkpoint in `folder`:
an interrupted run goes on where it stopped, and a finished stage is loaded instead of trained.
"""

from __future__ import annotations

from omegaconf import DictConfig

from envs.command_line import command


@command("train_model")
def main(config: DictConfig) -> None:
    """Run the stages that the configuration names, in their order."""
    from envs.transceiver.train_embedded.stages import ModelTraining  # heavy: after help and mistakes

    training = ModelTraining(config)
    for stage in config.stages:
        training.run(stage)
