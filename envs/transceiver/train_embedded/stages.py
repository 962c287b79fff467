"""The stages of the embedded model's training, each resumable, each leaving its result in one folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from omegaconf import DictConfig
from torch import nn

from envs.transceiver.scenes.scenes import HELD_OUT_SCENES, SEEN_SCENES
from envs.transceiver.train_embedded.card import write_card
from envs.transceiver.train_embedded.data import rendered
from envs.transceiver.train_embedded.distil import FinetuneLoss, record_trajectories
from envs.transceiver.train_embedded.export import export_model
from envs.transceiver.train_embedded.loop import Stage, train_stage
from envs.transceiver.train_embedded.losses import AutoencoderLoss, ClassifierLoss, DecoderLoss, DenoiserLoss
from envs.transceiver.train_embedded.parts import ModelParts

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel


class ModelTraining(ModelParts):
    """Runs the stages by name.

    Args:
        config: configs/train_model.yaml.

    Raises:
        ValueError: an unknown stage name.
    """

    def __init__(self, config: DictConfig) -> None:
        super().__init__(config)
        self.stages: dict[str, Callable[[], None]] = {
            "vae": self.train_vae,
            "generator": self.train_generator,
            "refine": self.refine_vae,
            "decoder": self.train_decoder,
            "classifier": self.train_classifier,
            "adapt": self.adapt_generator,
            "light": self.train_light,
            "trajectories": self.record,
            "finetune": self.finetune,
            "export": lambda: export_model(self),
            "card": lambda: write_card(self),
        }
        unknown = [name for name in config.stages if name not in self.stages]
        if unknown:
            raise ValueError(f"unknown stages {unknown}: choose from {', '.join(self.stages)}")
        torch.set_num_threads(config.threads)

    def run(self, stage: str) -> None:
        """Run one stage; what it needs of the others is loaded or made first."""
        self.stages[stage]()

    def train_vae(self) -> None:
        """VAE on rendered scenes."""
        self._train_autoencoder("vae")

    def refine_vae(self) -> None:
        """The VAE once more from where its first stage ended, with a fresh schedule; fixes the latent space."""
        self._train_autoencoder("refine")

    def _train_autoencoder(self, stage: str) -> None:
        vae, training = self.vae("vae"), self.config[stage].training
        self._train(stage, {"vae": vae}, AutoencoderLoss(vae, self.pictures[0], training.batch_size), training)

    def train_decoder(self) -> None:
        """The decoder alone, on the fixed latent space."""
        vae, training = self.vae("refine"), self.config.decoder.training
        loss = DecoderLoss(vae, self.pictures[0], self.encoded("refine"), training.batch_size)
        self._train("decoder", {"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv}, loss, training)

    def train_classifier(self) -> None:
        """The scene classifier, on seen and held-out combinations alike: it is the measuring instrument."""
        training = self.config.classifier.training
        every = rendered(SEEN_SCENES + HELD_OUT_SCENES, self.config.pictures, self.config.seed + 2, self.folder / "all")
        classifier = self.classifier(finished=False)
        self._train(
            "classifier", {"classifier": classifier}, ClassifierLoss(classifier, *every, training.batch_size), training
        )

    def train_generator(self) -> None:
        """The generator's UNet with its text encoder, on the latents of the VAE's first stage."""
        unet, training = self.unet("unet"), self.config.generator.training
        modules = {"unet": unet, "text_encoder": self.text_encoder}
        self._train("generator", modules, self._denoiser_loss(unet, "vae", training), training)

    def adapt_generator(self) -> None:
        """The generator's UNet once more, on the refined latents; the text encoder stays."""
        unet, training = self._with_weights(self.unet("unet"), "generator", "unet"), self.config.adapt.training
        self.trained_text_encoder()
        self._train("adapt", {"unet": unet}, self._denoiser_loss(unet, "refine", training), training)

    def train_light(self) -> None:
        """The light UNet as an ordinary diffusion model, on the generator's text encoder."""
        unet, training = self.unet("light_unet"), self.config.light.training
        self.trained_text_encoder()
        self._train("light", {"unet": unet}, self._denoiser_loss(unet, "refine", training), training)

    def record(self) -> None:
        """Guided trajectories of the generator, the fine-tuning's data."""
        record_trajectories(self)

    def finetune(self) -> None:
        """The light UNet on the edge's own guided, noisy partial trajectories."""
        unet, training = self.finetuned(finished=False), self.config.finetune.training
        self._train("finetune", {"unet": unet}, FinetuneLoss.of(self, unet), training)

    def _denoiser_loss(self, unet: UNet2DConditionModel, vae_stage: str, training: DictConfig) -> DenoiserLoss:
        latents = self.encoded(vae_stage)
        latents = latents / latents.std()
        labels, alphas = self.pictures[1], self.scheduler.alphas_cumprod
        return DenoiserLoss(unet, self.text_encoder, latents, labels, self.captions, alphas, training.batch_size)

    def _train(self, name: str, modules: dict[str, nn.Module], loss: Callable, training: DictConfig) -> None:
        stage = Stage(
            name,
            modules,
            loss,
            steps=training.steps,
            learning_rate=training.learning_rate,
            autocast=training.autocast,
            device=self.device,
        )
        train_stage(stage, self.folder, self.config.seed)
