"""Fine-tune a UNet on one's own images: `python -m envs finetune`.

`accelerate launch -m envs finetune ...` runs the same on several GPUs. A run that was stopped goes on
with the same command, exactly as if it had not been.
"""

from __future__ import annotations

from omegaconf import DictConfig

from envs.command_line import command, plain
from envs.transceiver.finetune_images.settings import FinetuneSettings


@command("finetune")
def main(config: DictConfig) -> None:
    """Train what the configuration names."""
    settings = FinetuneSettings.from_config(plain(config))
    from envs.transceiver.finetune_images.run import Finetuning  # heavy: after help and mistakes

    folder = Finetuning(settings).run()
    print(f"wrote {folder}: use it with transceiver.{settings.part}={folder}")
