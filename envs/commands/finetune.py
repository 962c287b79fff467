"""Fine-tune a UNet on one's own images: `python -m envs.commands.finetune` (Hydra, configs/finetune.yaml).

`accelerate launch -m envs.commands.finetune ...` runs the same on several GPUs. A run that was stopped goes on
with the same command, exactly as if it had not been.
"""

from __future__ import annotations

from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from envs.command_line import CONFIGS, one_line_errors
from envs.transceiver.finetune_images.settings import FinetuneSettings


@hydra.main(config_path=str(CONFIGS), config_name="finetune", version_base="1.3")
def main(config: DictConfig) -> None:
    """Train what the configuration names."""
    with one_line_errors():
        plain: Any = OmegaConf.to_container(config, resolve=True)
        settings = FinetuneSettings.of(plain)
        from envs.transceiver.finetune_images.run import finetune  # heavy imports wait until mistakes are dealt with

        folder = finetune(settings)
        print(f"wrote {folder}: use it with transceiver.{settings.part}={folder}")


if __name__ == "__main__":
    with one_line_errors():
        main()
