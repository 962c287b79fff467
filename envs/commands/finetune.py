"""Fine-tune a UNet on one's own images: `python -m envs finetune`.

`accelerate launch -m envs finetune ...` runs the same on several GPUs. Ctrl-C and SIGTERM keep what was done; a run
that was stopped goes on with the same command, exactly as if it had not been.
"""

from __future__ import annotations

from omegaconf import DictConfig

from envs.command_line import argument, command, command_line, plain
from envs.transceiver.finetune_images.settings import FinetuneSettings
from envs.transceiver.model.folders import model_guidance


@command("finetune")
def main(config: DictConfig) -> None:
    """Train what the configuration names."""
    settings = FinetuneSettings.from_config(plain(config))
    from envs.transceiver.finetune_images.run import Finetuning  # heavy: after help and mistakes

    folder = Finetuning(settings).run()
    chosen = [argument(f"transceiver.{settings.part}", folder)]
    if settings.model is not None:
        chosen.insert(0, argument("transceiver.path", settings.model))
        if model_guidance(settings.model) is None:
            chosen.insert(0, "transceiver=stable_diffusion")
    print(f"wrote {folder}; images of it, and a profile to train and evaluate agents with:")
    for name, output in (("generate", "images"), ("make_profile", "profile.npz")):
        print(command_line(f"python -m envs {name}", [*chosen, argument("output", folder.parent / output)]))
