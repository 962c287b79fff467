"""The parts of the embedded model as the stages of its training leave them, and the data that they learn from."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from omegaconf import DictConfig
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm import tqdm

from envs import checks
from envs.command_line import plain
from envs.transceiver.model.folders import config_of
from envs.transceiver.model.options import AUTO
from envs.transceiver.receivers import LIGHT
from envs.transceiver.scenes.scenes import HELD_OUT_SCENES, SEEN_SCENES
from envs.transceiver.train_embedded import architecture
from envs.transceiver.train_embedded.data import rendered, to_unit, write_array
from envs.transceiver.train_embedded.distil import StatesSettings
from envs.transceiver.train_embedded.losses import CaptionTable

if TYPE_CHECKING:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    from envs.transceiver.model.scene_classifier import SceneClassifier

ENCODE_BATCH = 16


class ModelParts:
    """What is in a training's folder: built on first use, with the weights of the finished stages.

    Args:
        config: configs/train_model.yaml.

    Raises:
        ValueError: `init` is not the folder of a model, a device that is not there, or settings of the states that are
            not allowed.
    """

    def __init__(self, config: DictConfig) -> None:
        if config.init is not None and not Path(config.init).is_dir():
            raise ValueError(f"init must be null or the folder of an exported model, got {config.init!r}")
        self.config = config
        self.device = _device(config.device)
        self.states = checks.parse(StatesSettings, plain(config.states), "states", "states.")
        self.folder = Path(config.folder)
        self.folder.mkdir(parents=True, exist_ok=True)

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

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The tokenizer of the captions."""
        return architecture.new_tokenizer(self.config.tokenizer.max_length)

    @cached_property
    def captions(self) -> CaptionTable:
        """Token ids of all captions."""
        return CaptionTable(self.tokenizer)

    @cached_property
    def scheduler(self) -> DDIMScheduler:
        """The noise schedule."""
        return DDIMScheduler(**plain(self.config.scheduler))

    @cached_property
    def text_encoder(self) -> CLIPTextModel:
        """The CLIP text model."""
        model = plain(self.config.text_encoder.model)
        fresh = architecture.new_text_encoder(self.tokenizer, self.config.seed + 1, **model)
        return self._initial(fresh, "text_encoder")

    def trained_text_encoder(self) -> CLIPTextModel:
        """The text encoder as the generator's training left it, frozen."""
        return self._with_weights(self.text_encoder, "generator", "text_encoder").requires_grad_(False)

    def vae(self, stage: str = "decoder") -> AutoencoderKL:
        """The VAE as a stage left it: `vae`, `refine` or `decoder`; before that stage, as the one before left it."""
        vae = self._initial(architecture.new_vae(self.config.seed, **plain(self.config.vae.model)), "vae")
        self._with_weights(vae, "vae", "vae")
        if stage != "vae":
            self._with_weights(vae, "refine", "vae")
        if stage == "decoder":
            self._with_weights(vae.decoder, "decoder", "decoder")
            self._with_weights(vae.post_quant_conv, "decoder", "post_quant_conv")
            vae.register_to_config(scaling_factor=self._scaling_factor())
        return vae

    def _scaling_factor(self) -> float:
        """What brings latents to unit variance; that of `init`, as long as its VAE is not trained any further."""
        trained = any((self.folder / f"{stage}.safetensors").exists() for stage in ("vae", "refine"))
        if not trained and self.config.init is not None and (folder := Path(self.config.init) / "vae").is_dir():
            return float(config_of(folder)["scaling_factor"])
        return float(1 / self.encoded("refine").std())

    def encoded(self, stage: str) -> Tensor:
        """Posterior means [N, 4, 8, 8] of all training scenes, unscaled, by the VAE as a stage left it."""
        path = self.folder / f"latents.{stage}.npy"
        if not path.exists():
            vae, rows = self.vae(stage), []
            autocast = torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.config.vae.training.autocast)
            pictures = self.pictures[0]
            with torch.no_grad(), autocast, tqdm(total=len(pictures), desc=f"latents of {stage}", unit="image") as bar:
                for batch in pictures.split(ENCODE_BATCH):
                    images = to_unit(batch).to(self.device) * 2 - 1
                    rows.append(vae.encode(images).latent_dist.mean.float().cpu())
                    bar.update(len(batch))
            write_array(path, torch.cat(rows).contiguous().numpy())
        return torch.from_numpy(np.load(path))

    def unet(self, part: str, *stages: str) -> UNet2DConditionModel:
        """A UNet with the weights that stages left, as far as they are finished.

        Args:
            part: a light one's name, as `light` is configured, or another, as `generator` is.
            stages: whose weights it takes, the last one's at last.
        """
        name, seed = ("light", 3) if part in LIGHT else ("generator", 2)
        unet = self._initial(architecture.new_unet(self.config.seed + seed, **plain(self.config[name].model)), part)
        for stage in stages:
            self._with_weights(unet, stage, "unet")
        return unet

    def generator(self) -> UNet2DConditionModel:
        """The trained generator."""
        return self.unet("unet", "generator", "adapt")

    def classifier(self, finished: bool = True) -> SceneClassifier:
        """The scene classifier; not finished, as its training begins."""
        channels = tuple(self.config.classifier.model.channels)
        classifier = self._initial(architecture.new_classifier(self.config.seed + 4, channels), "classifier")
        return self._with_weights(classifier, "classifier", "classifier") if finished else classifier

    def _initial(self, module: Any, part: str) -> Any:
        """The module on its device, with the weights that the exported model `init` has for it, if there are any."""
        if self.config.init is not None and (folder := Path(self.config.init) / part).is_dir():
            exported = type(module).from_pretrained(folder, torch_dtype=torch.float32, local_files_only=True)
            module.load_state_dict(exported.state_dict())
        return module.to(self.device)

    def _with_weights(self, module: nn.Module, stage: str, name: str) -> Any:
        """The module with the averaged weights that a finished stage kept under a name, where there are any."""
        path = self.folder / f"{stage}.safetensors"
        if path.exists():
            weights = load_file(path).items()
            prefix = f"{name}."
            module.load_state_dict({key.removeprefix(prefix): w for key, w in weights if key.startswith(prefix)})
        return module


def _device(name: str) -> torch.device:
    """Where the networks are trained; "auto" is the GPU where there is one."""
    checks.choice("device", name, (AUTO, "cpu", "cuda"))
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise ValueError(f"device=cuda needs a GPU, this machine shows none; allowed here: {AUTO}, cpu")
    return torch.device("cuda" if found and name != "cpu" else "cpu")
