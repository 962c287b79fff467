"""The stages of the embedded model's training, each resumable, each leaving its result in one folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn
from tqdm import tqdm

from envs.transceiver import architecture
from envs.transceiver.scenes import COLOURS, HELD_OUT_SCENES, NOUNS, PLACES, SEEN_SCENES
from envs.transceiver.training.autoencoder import AutoencoderLoss, DecoderLoss
from envs.transceiver.training.card import write_card
from envs.transceiver.training.classifier import ClassifierLoss
from envs.transceiver.training.data import rendered, to_unit, write_array
from envs.transceiver.training.export import export_model
from envs.transceiver.training.finetune import FinetuneLoss, record_trajectories
from envs.transceiver.training.generator import CaptionTable, DenoiserLoss
from envs.transceiver.training.loop import Stage, train_stage

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    from envs.transceiver.classifier import SceneClassifier

ENCODE_BATCH = 16


class ModelTraining:
    """Runs the stages by name.

    Args:
        config: configs/train_model.yaml.

    Raises:
        ValueError: an unknown stage name.
    """

    def __init__(self, config: DictConfig) -> None:
        self.config = config
        self.folder = Path(config.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
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
        if config.init is not None and not Path(config.init).is_dir():
            raise ValueError(f"init must be null or the folder of an exported model, got {config.init!r}")
        if unknown:
            raise ValueError(f"unknown stages {unknown}: choose from {', '.join(self.stages)}")
        torch.set_num_threads(config.threads)

    def run(self, stage: str) -> None:
        """Run one stage; what it needs of the others is loaded or made first."""
        self.stages[stage]()

    # Components: built on first use, with the weights of their finished stages.

    @cached_property
    def pictures(self) -> tuple[Tensor, Tensor]:
        """Training scenes: (uint8 [N, 3, 64, 64], labels [N, 3])."""
        return rendered(SEEN_SCENES, self.config.pictures, self.config.seed, self.folder / "train")

    @cached_property
    def validation(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Unseen scenes of seen and of held-out combinations."""
        count, seed = self.config.validation_pictures, self.config.seed + 1
        return {
            "seen": rendered(SEEN_SCENES, count, seed, self.folder / "validation_seen"),
            "held_out": rendered(HELD_OUT_SCENES, count, seed, self.folder / "validation_held_out"),
        }

    def vae(self, stage: str = "decoder") -> AutoencoderKL:
        """The VAE as a stage left it: `vae`, `refine` or `decoder`; before that stage, as the one before left it."""
        vae = self._initial(architecture.new_vae(self.config.seed, **_plain(self.config.vae.model)), "vae")
        self._with_weights(vae, "vae")
        if stage != "vae":
            self._with_weights(vae, "refine", "vae")
        if stage == "decoder":
            self._with_weights(vae.decoder, "decoder")
            self._with_weights(vae.post_quant_conv, "decoder", "post_quant_conv")
            vae.register_to_config(scaling_factor=self.scaling_factor)
        return vae

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The tokenizer of the captions."""
        return architecture.new_tokenizer(self.config.tokenizer.max_length)

    @cached_property
    def text_encoder(self) -> CLIPTextModel:
        """The CLIP text model."""
        model = _plain(self.config.text_encoder.model)
        fresh = architecture.new_text_encoder(self.tokenizer, self.config.seed + 1, **model)
        return self._initial(fresh, "text_encoder")

    @cached_property
    def scheduler(self) -> DDIMScheduler:
        """The noise schedule."""
        return architecture.new_scheduler(**_plain(self.config.scheduler))

    @cached_property
    def captions(self) -> CaptionTable:
        """Token ids of all captions."""
        return CaptionTable(self.tokenizer, (len(NOUNS), len(COLOURS), len(PLACES)))

    def unet(self, part: str) -> UNet2DConditionModel:
        """A UNet before its training: `unet` as the generator is configured, the others as the light one."""
        name, seed = ("generator", 2) if part == "unet" else ("light", 3)
        fresh = architecture.new_unet(self.config.seed + seed, **_plain(self.config[name].model))
        return self._initial(fresh, part)

    @cached_property
    def scaling_factor(self) -> float:
        """What makes the refined latents of unit variance."""
        return float(1 / self.encoded("refine").std())

    def encoded(self, stage: str) -> Tensor:
        """Posterior means [N, 4, 8, 8] of all training scenes, unscaled, by the VAE as a stage left it."""
        path = self.folder / f"latents.{stage}.npy"
        if not path.exists():
            self.encode(stage, path)
        return torch.from_numpy(np.load(path))

    # Stages.

    def train_vae(self) -> None:
        """VAE on rendered scenes."""
        self._train_autoencoder("vae")

    def refine_vae(self) -> None:
        """The VAE once more from where its first stage ended, with a fresh schedule; fixes the latent space."""
        self._train_autoencoder("refine")

    def _train_autoencoder(self, stage: str) -> None:
        vae, training = self.vae("vae"), self.config[stage].training
        self._train(stage, {"vae": vae}, AutoencoderLoss(vae, self.pictures[0], training.batch_size), training)

    def encode(self, stage: str, path: Path) -> None:
        """Encode all training scenes with the VAE as a stage left it."""
        vae, rows = self.vae(stage), []
        autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.vae.training.autocast)
        with torch.no_grad(), autocast:
            for batch in tqdm(self.pictures[0].split(ENCODE_BATCH), desc=f"latents of {stage}"):
                images = to_unit(batch).to(self.device) * 2 - 1
                rows.append(vae.encode(images).latent_dist.mean.float().cpu())
        write_array(path, torch.cat(rows).contiguous().numpy())

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

    def classifier(self, finished: bool = True) -> SceneClassifier:
        """The scene classifier."""
        channels = tuple(self.config.classifier.model.channels)
        model = self._initial(architecture.new_classifier(self.config.seed + 4, channels), "classifier")
        return self._with_weights(model, "classifier") if finished else model

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

    def generator(self) -> UNet2DConditionModel:
        """The trained generator."""
        unet = self._with_weights(self.unet("unet"), "generator", "unet")
        return self._with_weights(unet, "adapt", "unet")

    def trained_text_encoder(self) -> CLIPTextModel:
        """The text encoder as the generator's training left it, frozen."""
        return self._with_weights(self.text_encoder, "generator", "text_encoder").requires_grad_(False)

    def train_light(self) -> None:
        """The light UNet as an ordinary diffusion model, on the generator's text encoder."""
        unet, training = self.unet("light_unet"), self.config.light.training
        self.trained_text_encoder()
        self._train("light", {"unet": unet}, self._denoiser_loss(unet, "refine", training), training)

    def light(self) -> UNet2DConditionModel:
        """The trained light UNet."""
        return self._with_weights(self.unet("light_unet"), "light", "unet")

    def record(self) -> None:
        """Guided trajectories of the generator, the fine-tuning's data."""
        record_trajectories(self)

    def finetune(self) -> None:
        """The light UNet on the transmitter's own guided, noisy partial trajectories."""
        unet, training = self.finetuned(finished=False), self.config.finetune.training
        self._train("finetune", {"unet": unet}, FinetuneLoss.of(self, unet), training)

    def finetuned(self, finished: bool = True) -> UNet2DConditionModel:
        """The fine-tuned light UNet; before its stage, the light one."""
        return self._with_weights(self.unet("finetune_unet"), "finetune", "unet") if finished else self.light()

    # Helpers.

    def has(self, stage: str, part: str) -> bool:
        """Whether a part is there to export: its stage is finished, or `init` holds it."""
        from_init = self.config.init is not None and (Path(self.config.init) / part).is_dir()
        return from_init or (self.folder / f"{stage}.safetensors").exists()

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

    def _initial(self, module: Any, part: str) -> Any:
        """The module on its device, with the weights that the exported model `init` has for it, if there are any."""
        if self.config.init is not None and (folder := Path(self.config.init) / part).is_dir():
            exported = type(module).from_pretrained(folder, torch_dtype=torch.float32, local_files_only=True)
            module.load_state_dict(exported.state_dict())
        return module.to(self.device)

    def _with_weights(self, module: nn.Module, stage: str, name: str | None = None) -> Any:
        """Load a finished stage's averaged weights into the module, where there are any."""
        path = self.folder / f"{stage}.safetensors"
        if path.exists():
            load_average(path, name or stage, module)
        return module


def load_average(path: Path, name: str, module: nn.Module) -> None:
    """Load the averaged weights of one module of a finished stage."""
    from safetensors.torch import load_file

    prefix = f"{name}."
    weights = {key.removeprefix(prefix): value for key, value in load_file(path).items() if key.startswith(prefix)}
    module.load_state_dict(weights)


def _plain(config: DictConfig) -> dict:
    return OmegaConf.to_container(config, resolve=True)  # type: ignore[return-value]
