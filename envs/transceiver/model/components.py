"""The networks of a split transceiver, loaded from a folder in diffusers layout (or the hub) and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from envs.transceiver.model.clip_score import ClipScore
from envs.transceiver.model.folders import (
    DEFAULTS,
    model_fingerprint,
    model_folder,
    model_guidance,
    no_judge,
    no_network,
    unet_folder,
)
from envs.transceiver.model.guided_unet import GuidedUNet
from envs.transceiver.model.loading import (
    is_adapter,
    load_ddim,
    read_network,
    read_text_encoder,
    read_tokenizer,
    read_unet,
    read_vae,
    with_adapter,
)
from envs.transceiver.model.options import AUTO, UNETS, ModelOptions, local_folder
from envs.transceiver.model.scene_classifier import SceneClassifier
from envs.transceiver.model.upsampling import with_transposed_upsampling


@dataclass(frozen=True)
class Components:
    """Everything the transceiver runs. All UNets but `unet`, `classifier` and `clip` may be absent.

    Attributes:
        finetune_unet: the receiver's, as large as the generator's.
        light_unet, finetune_light_unet: light ones for the receiver, before and after fine-tuning.
        classifier: measures prompt alignment on captioned scenes.
        clip: measures it on any picture; where it is given, it is the judge.
        guidance_scale: the guidance that the model was made for, None where its folder does not say.
        compiled: whether the networks are compiled.
        fingerprint: sha256 over the weights, tokenizer and scheduler.
    """

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDIMScheduler
    finetune_unet: UNet2DConditionModel | None = None
    light_unet: UNet2DConditionModel | None = None
    finetune_light_unet: UNet2DConditionModel | None = None
    classifier: SceneClassifier | None = None
    clip: ClipScore | None = None
    guidance_scale: float | None = None
    compiled: bool = False
    source: str = "memory"
    fingerprint: str = "unknown"
    _guided: dict[str, GuidedUNet] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        latent, width = self.vae.config.latent_channels, self.text_encoder.config.hidden_size
        for name in UNETS:
            unet = getattr(self, name)
            if unet is None:
                continue
            if unet.config.in_channels != latent or unet.config.out_channels != latent:
                raise ValueError(
                    f"{name} works on {unet.config.in_channels} latent channels, the vae of {self.source} on {latent}"
                )
            if unet.config.cross_attention_dim != width:
                raise ValueError(
                    f"{name} attends to text of width {unet.config.cross_attention_dim}, "
                    f"the text encoder of {self.source} gives {width}"
                )

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of a latent."""
        size = self.unet.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        return self.vae.config.latent_channels, height, width

    def network(self, name: str) -> UNet2DConditionModel:
        """A UNet by the name that receivers call it.

        Raises:
            ValueError: the model has none of that name.
        """
        unet: UNet2DConditionModel | None = getattr(self, name)
        if unet is None:
            raise ValueError(no_network(self.source, name))
        return unet

    def guided_network(self, name: str) -> GuidedUNet:
        """The same for two texts at once.

        Raises:
            ValueError: the model has none of that name.
        """
        if name not in self._guided:
            self._guided[name] = _compiled(GuidedUNet(self.network(name)), self.compiled)
        return self._guided[name]

    @property
    def judge(self) -> SceneClassifier | ClipScore | None:
        """What measures prompt alignment, if anything does."""
        return self.clip or self.classifier

    def needed_judge(self) -> SceneClassifier | ClipScore:
        """What measures prompt alignment.

        Raises:
            ValueError: the model has nothing that does.
        """
        if self.judge is None:
            raise ValueError(no_judge(self.source))
        return self.judge


def load_components(
    path: str | Path | None = None, device: str | torch.device = "cpu", options: ModelOptions = DEFAULTS
) -> Components:
    """Load the components of a transceiver.

    Args:
        path: a folder in diffusers layout; `hub:owner/name` for the Hugging Face hub; None is the embedded model.
        device: where the networks go; "auto" is the GPU where there is one.
        options: networks that stand in for the folder's, and how they run.

    Raises:
        ValueError: a missing or incomplete folder (said at once, no network is tried), a model of another
            architecture, unreadable weights, or parts whose shapes do not fit each other.
    """
    folder = model_folder(path)
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == AUTO else device)
    dtype = _dtype(options.dtype, where)
    parts: dict = {"vae": read_vae(folder / "vae", dtype), "unet": _read_unet(folder, "unet", options, dtype)}
    for name in UNETS[1:]:
        if name in options.sources or (folder / name).is_dir():
            parts[name] = _read_unet(folder, name, options, dtype, parts["unet"])
    if (folder / "classifier").is_dir():
        parts["classifier"] = read_network(SceneClassifier, folder / "classifier", torch.float32)
    parts = {name: _placed(module, where, torch.channels_last) for name, module in parts.items()}
    if where.type == "cpu":  # a GPU's own upsampling is left as it is
        parts = {name: with_transposed_upsampling(module) for name, module in parts.items()}
    parts["text_encoder"] = _placed(read_text_encoder(folder / "text_encoder", dtype), where)
    if options.clip is not None:
        parts["clip"] = _placed(ClipScore.load(local_folder(options.clip, "clip")), where)
    if options.slicing is True or (options.slicing == AUTO and where.type == "cpu"):
        for name in UNETS:
            if name in parts:
                parts[name].set_attention_slice("auto")
        parts["vae"].enable_slicing()
    for module in (*(parts.get(name) for name in UNETS), parts["vae"].decoder):
        _compiled(module, options.compile)
    return Components(
        **parts,
        tokenizer=read_tokenizer(folder / "tokenizer"),
        scheduler=load_ddim(folder / "scheduler"),
        guidance_scale=model_guidance(path),
        compiled=options.compile,
        source=str(path or "embedded"),
        fingerprint=model_fingerprint(path, options),
    )


def _read_unet(
    folder: Path,
    name: str,
    options: ModelOptions,
    dtype: torch.dtype,
    generator: UNet2DConditionModel | None = None,
) -> UNet2DConditionModel:
    source = options.sources.get(name)
    if source is None:
        return read_unet(folder / name, dtype)
    other = unet_folder(source, name)
    if is_adapter(other):
        return with_adapter(generator or read_unet(folder / "unet", dtype), other)
    return read_unet(other, dtype)


def _placed(module: Any, device: torch.device, layout: torch.memory_format = torch.contiguous_format) -> Any:
    return module.to(device=device, memory_format=layout).eval().requires_grad_(False)


def _compiled(module: Any, wanted: bool) -> Any:
    """Compile a module in place; its weights become constants, so it must not be trained any more."""
    if wanted and module is not None:
        module.compile(dynamic=False, options={"freezing": True})
    return module


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == AUTO:
        return torch.float16 if device.type == "cuda" else torch.float32
    return getattr(torch, name)
