"""The networks of a split transceiver, loaded from a folder in diffusers layout (or the hub) and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from envs.transceiver.classifier import SceneClassifier

EMBEDDED = Path(__file__).parent / "weights" / "embedded"
HUB_PREFIX = "hub:"
REQUIRED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
OPTIONAL = ("finetune_unet", "light_unet", "classifier")


@dataclass(frozen=True)
class Components:
    """Everything the transceiver runs. `finetune_unet`, `light_unet` and `classifier` may be absent.

    Attributes:
        light_unet: the receiver's UNet before fine-tuning, kept for comparison.
        classifier: measures prompt alignment on captioned scenes.
        guidance_scale: the guidance that the model was made for, None where its folder does not say.
        fingerprint: sha256 over the weights, tokenizer and scheduler.
    """

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDIMScheduler
    finetune_unet: UNet2DConditionModel | None = None
    light_unet: UNet2DConditionModel | None = None
    classifier: SceneClassifier | None = None
    guidance_scale: float | None = None
    source: str = "memory"
    fingerprint: str = "unknown"

    def __post_init__(self) -> None:
        latent, width = self.vae.config.latent_channels, self.text_encoder.config.hidden_size
        for name in ("unet", "finetune_unet", "light_unet"):
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
        return self.vae.config.latent_channels, size, size


def load_components(path: str | Path | None = None, device: str | torch.device = "cpu") -> Components:
    """Load the components of a transceiver.

    Args:
        path: a folder in diffusers layout; `hub:owner/name` for the Hugging Face hub; None is the embedded model.
        device: where the networks go.

    Raises:
        ValueError: a missing or incomplete folder (said at once, no network is tried), unreadable weights, or
            parts whose shapes do not fit each other.
    """
    if path is not None and str(path).startswith(HUB_PREFIX):
        folder = _from_hub(str(path).removeprefix(HUB_PREFIX))
    else:
        folder = EMBEDDED if path is None else Path(path).expanduser()
    if not folder.is_dir():
        raise ValueError(
            f"no weights folder at {folder}: give a folder with {', '.join(REQUIRED)}, or hub:owner/name for the hub"
        )
    missing = [name for name in REQUIRED if not (folder / name).is_dir()]
    if missing:
        raise ValueError(f"{folder} lacks {', '.join(missing)}: expected the diffusers layout {', '.join(REQUIRED)}")
    try:
        with quietly():
            parts = _load_parts(folder, torch.device(device))
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"the weights in {folder} cannot be read: {reason}") from error
    return Components(
        **parts, guidance_scale=_guidance_scale(folder), source=str(path or "embedded"), fingerprint=fingerprint(folder)
    )


def fingerprint(folder: Path, parts: Sequence[str] | None = None) -> str:
    """sha256 over the weight, tokenizer and scheduler files of a model folder, or of some of its parts."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        part = file.relative_to(folder).parts[0]
        if file.suffix in (".safetensors", ".json", ".txt") and file.parent != folder and (not parts or part in parts):
            digest.update(str(file.relative_to(folder)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the libraries' progress bars and advice off the terminal while weights are read or written."""
    libraries = (diffusers_logging, transformers_logging)
    before = [library.get_verbosity() for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, verbosity in zip(libraries, before, strict=True):
            library.set_verbosity(verbosity)
            library.enable_progress_bar()


def _load_parts(folder: Path, device: torch.device) -> dict:
    options = {"local_files_only": True, "use_safetensors": True}
    diffusers_options = {**options, "torch_dtype": torch.float32, "low_cpu_mem_usage": False}
    classes = {
        "unet": UNet2DConditionModel,
        "vae": AutoencoderKL,
        "finetune_unet": UNet2DConditionModel,
        "light_unet": UNet2DConditionModel,
        "classifier": SceneClassifier,
    }
    parts: dict = {
        name: cls.from_pretrained(folder / name, **diffusers_options)
        for name, cls in classes.items()
        if name in REQUIRED or (folder / name).is_dir()
    }
    parts["text_encoder"] = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32, **options)
    for name, module in parts.items():
        layout = torch.contiguous_format if name == "text_encoder" else torch.channels_last
        parts[name] = module.to(device=device, memory_format=layout).eval().requires_grad_(False)
    parts["tokenizer"] = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    parts["scheduler"] = DDIMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    return parts


def _guidance_scale(folder: Path) -> float | None:
    index = folder / "model_index.json"
    if not index.is_file():
        return None
    value = json.loads(index.read_text()).get("guidance_scale")
    return None if value is None else float(value)


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = [f"{part}/*{end}" for part in REQUIRED + OPTIONAL for end in (".json", ".txt", ".safetensors")]
    try:
        return Path(snapshot_download(name, allow_patterns=["model_index.json", *patterns]))
    except Exception as error:
        raise ValueError(f"cannot get {name!r} from the hub: {str(error).strip().splitlines()[0]}") from error
