"""The parts of the embedded model as the stages of its training leave them, and the data that they learn from."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn
from tqdm import tqdm

from envs.transceiver.scenes.scenes import COLOURS, HELD_OUT_SCENES, NOUNS, PLACES, SEEN_SCENES
from envs.transceiver.train_embedded import architecture
from envs.transceiver.train_embedded.data import rendered, to_unit, write_array
from envs.transceiver.train_embedded.losses import CaptionTable

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    from envs.transceiver.model.scene_classifier import SceneClassifier

ENCODE_BATCH = 16


class ModelParts:
    """What is in a training's folder: built on first use, with the weights of the finished stages.

    Args:
        config: configs/train_model.yaml.

    Raises:
        ValueError: `init` is not the folder of a model.
    """

    def __init__(self, config: DictConfig) -> None:
        if config.init is not None and not Path(config.init).is_dir():
            raise ValueError(f"init must be null or the folder of an exported model, got {config.init!r}")
        self.config = config
        self.folder = Path(config.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

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

    def encode(self, stage: str, path: Path) -> None:
        """Encode all training scenes with the VAE as a stage left it."""
        vae, rows = self.vae(stage), []
        autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.vae.training.autocast)
        with torch.no_grad(), autocast:
            for batch in tqdm(self.pictures[0].split(ENCODE_BATCH), desc=f"latents of {stage}"):
                images = to_unit(batch).to(self.device) * 2 - 1
                rows.append(vae.encode(images).latent_dist.mean.float().cpu())
        write_array(path, torch.cat(rows).contiguous().numpy())

    def classifier(self, finished: bool = True) -> SceneClassifier:
        """The scene classifier."""
        channels = tuple(self.config.classifier.model.channels)
        model = self._initial(architecture.new_classifier(self.config.seed + 4, channels), "classifier")
        return self._with_weights(model, "classifier") if finished else model

    def generator(self) -> UNet2DConditionModel:
        """The trained generator."""
        unet = self._with_weights(self.unet("unet"), "generator", "unet")
        return self._with_weights(unet, "adapt", "unet")

    def trained_text_encoder(self) -> CLIPTextModel:
        """The text encoder as the generator's training left it, frozen."""
        return self._with_weights(self.text_encoder, "generator", "text_encoder").requires_grad_(False)

    def light(self) -> UNet2DConditionModel:
        """The trained light UNet."""
        return self._with_weights(self.unet("light_unet"), "light", "unet")

    def finetuned(self, finished: bool = True) -> UNet2DConditionModel:
        """The fine-tuned light UNet; before its stage, the light one."""
        return self._with_weights(self.unet("finetune_unet"), "finetune", "unet") if finished else self.light()

    def has(self, stage: str, part: str) -> bool:
        """Whether a part is there to export: its stage is finished, or `init` holds it."""
        from_init = self.config.init is not None and (Path(self.config.init) / part).is_dir()
        return from_init or (self.folder / f"{stage}.safetensors").exists()

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
