"""The stages of the embedded model's training, each resumable, each leaving its result in one folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from omegaconf import DictConfig
from torch import nn

from envs.command_line import plain
from envs.transceiver.scenes.scenes import HELD_OUT_SCENES, SEEN_SCENES
from envs.transceiver.train_embedded.card import write_card
from envs.transceiver.train_embedded.data import rendered
from envs.transceiver.train_embedded.distil import DistilLoss, record_states
from envs.transceiver.train_embedded.export import export_model
from envs.transceiver.train_embedded.loop import LossFunction, TrainingStage, train_stage
from envs.transceiver.train_embedded.losses import autoencoder_loss, classifier_loss, decoder_loss, denoiser_loss
from envs.transceiver.train_embedded.parts import ModelParts

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel


class ModelTraining(ModelParts):
    """Runs the stages by name.

    Args:
        config: configs/train_model.yaml.

    Raises:
        ValueError: an unknown stage name, or what `ModelParts` refuses.
    """

    def __init__(self, config: DictConfig) -> None:
        super().__init__(config)
        self.stages: dict[str, Callable[[], object]] = {
            "vae": partial(self.train_autoencoder, "vae"),
            "generator": self.train_generator,
            "refine": partial(self.train_autoencoder, "refine"),
            "decoder": self.train_decoder,
            "classifier": self.train_classifier,
            "adapt": self.adapt_generator,
            "light": self.train_light,
            "states": partial(record_states, self),
            "finetune": self.finetune,
            "finetune_light": self.finetune_light,
            "export": partial(export_model, self),
            "card": partial(write_card, self),
        }
        unknown = [name for name in config.stages if name not in self.stages]
        if unknown:
            raise ValueError(f"unknown stages {unknown}: choose from {', '.join(self.stages)}")
        torch.set_num_threads(config.threads)

    def run(self, stage: str) -> None:
        """Run one stage; what it needs of the others is loaded or made first."""
        self.stages[stage]()

    def train_autoencoder(self, stage: str) -> None:
        """The VAE on rendered scenes; `refine` goes on with a fresh schedule and fixes the latent space."""
        vae, (pictures, _) = self.vae("vae"), self.pictures
        self._train(stage, {"vae": vae}, partial(autoencoder_loss, vae, pictures), len(pictures))

    def train_decoder(self) -> None:
        """The decoder alone, on the fixed latent space."""
        vae, (pictures, _) = self.vae("refine"), self.pictures
        modules = {"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv}
        self._train("decoder", modules, partial(decoder_loss, vae, pictures, self.encoded("refine")), len(pictures))

    def train_classifier(self) -> None:
        """The scene classifier, on seen and held-out combinations alike: it is the measuring instrument."""
        scenes, seed = SEEN_SCENES + HELD_OUT_SCENES, self.config.seed + 2
        pictures, labels = rendered(scenes, self.config.pictures, seed, self.folder / "all")
        classifier = self.classifier(finished=False)
        loss = partial(classifier_loss, classifier, pictures, labels)
        self._train("classifier", {"classifier": classifier}, loss, len(pictures))

    def train_generator(self) -> None:
        """The generator's UNet with its text encoder, on the latents of the VAE's first stage."""
        modules = {"unet": self.unet("unet"), "text_encoder": self.text_encoder}
        self._train_denoiser("generator", "vae", modules, self.text_encoder)

    def adapt_generator(self) -> None:
        """The generator's UNet once more, on the refined latents; the text encoder stays."""
        unet = self.unet("unet", "generator")
        self._train_denoiser("adapt", "refine", {"unet": unet}, self.trained_text_encoder())

    def train_light(self) -> None:
        """The light UNet as an ordinary diffusion model, on the generator's text encoder."""
        self._train_denoiser("light", "refine", {"unet": self.unet("light_unet")}, self.trained_text_encoder())

    def finetune(self) -> None:
        """The receiver's UNet, from the generator's on, or from that of `init`, if it has one."""
        self._distil("finetune", self._initial(self.generator(), "finetune_unet"))

    def finetune_light(self) -> None:
        """The receiver's light UNet, from the light one's on, or from that of `init`, if it has one."""
        self._distil("finetune_light", self._initial(self.unet("light_unet", "light"), "finetune_light_unet"))

    def _distil(self, stage: str, unet: UNet2DConditionModel) -> None:
        loss = DistilLoss(self, unet)
        self._train(stage, {"unet": unet}, loss, len(loss))

    def _train_denoiser(
        self, stage: str, vae_stage: str, modules: dict[str, nn.Module], text_encoder: CLIPTextModel
    ) -> None:
        """Train the modules of a stage on the latents of all training scenes, scaled to unit variance."""
        alphas, labels = self.scheduler.alphas_cumprod, self.pictures[1]
        latents = self.encoded(vae_stage)
        latents = latents / latents.std()
        loss = partial(denoiser_loss, modules["unet"], text_encoder, self.captions, alphas, latents, labels)
        self._train(stage, modules, loss, len(latents))

    def _train(self, name: str, modules: dict[str, nn.Module], loss: LossFunction, samples: int) -> None:
        stage = TrainingStage(name, modules, loss, samples, **plain(self.config[name].training))
        train_stage(stage, self.folder, self.config.seed)
