"""Train the embedded model: `python -m envs train_model`.

Many hours of one CPU core, or a GPU's work where there is one (`device`); every stage shows how long it still takes and
keeps its checkpoint in `folder`: an interrupted run goes on where it stopped, and a finished stage is loaded instead of
trained.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from envs.command_line import argument, command, command_line


@command("train_model")
def main(config: DictConfig) -> None:
    """Run the stages that the configuration names, in their order."""
    from envs.transceiver.train_embedded.stages import ModelTraining  # heavy: after help and mistakes

    training = ModelTraining(config)
    for stage in config.stages:
        training.run(stage)
    if "export" in config.stages:
        print(f"wrote {config.export}; a profile of it, to train and evaluate agents with:")
        output = Path(config.export).parent / "profile.npz"
        chosen = [argument("transceiver.path", config.export), argument("output", output)]
        print(command_line("python -m envs make_profile", chosen))
