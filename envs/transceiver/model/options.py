"""Networks that stand in for those of a model's folder, where they come from, how they run; light to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from envs import checks

HUB_PREFIX = "hub:"
AUTO = "auto"
DTYPES = ("float32", "float16", "bfloat16")
UNETS = ("unet", "light_unet", "finetune_unet", "finetune_light_unet")


@dataclass(frozen=True)
class ModelOptions:
    """Options of a transceiver's model.

    A UNet is named by its folder (or that of a model that has it in `unet`), by the folder of a LoRA adapter to the
    generator's UNet, or by `hub:owner/name`.

    Attributes:
        dtype: of the networks: float32, float16, bfloat16; auto is float16 on a GPU and float32 elsewhere. Latents,
            the sampler's arithmetic and the judge of alignment are always float32.
        slicing: attention computed in slices and images decoded one by one, which takes less memory; auto slices
            where there is no GPU.
        compile: the networks are compiled (`torch.compile`; needs a C++ compiler, or Triton on a GPU) at the first
            batch of every size, which takes up to a minute each; images are equal up to rounding.
        unet: generator instead of the folder's, None for the folder's. So are the three that follow.
        light_unet: a light network, guided (receiver `rematch_light`): BK-SDM, say.
        finetune_unet: one of the generator's size, fine-tuned for the receiver, not guided (receiver `finetuned`).
        finetune_light_unet: a light one, fine-tuned, not guided (receiver `finetuned_light`).
        clip: folder of a CLIP model (transformers' CLIPModel), or `hub:owner/name`, that measures alignment; None
            leaves it to the classifier in the model's folder.

    Raises:
        ValueError: a dtype or a flag that is not known, or a folder that is not there.
    """

    BESIDE: ClassVar[tuple[str, ...]] = ("path", "guidance_scale", "device")
    """Keys of a configuration's group `transceiver` that are not options."""

    dtype: str = "float32"
    slicing: bool | str = False
    compile: bool = False
    unet: str | None = None
    light_unet: str | None = None
    finetune_unet: str | None = None
    finetune_light_unet: str | None = None
    clip: str | None = None

    def __post_init__(self) -> None:
        checks.choice("dtype", self.dtype, (*DTYPES, AUTO))
        checks.choice("slicing", self.slicing, (True, False, AUTO))
        checks.flag("compile", self.compile)
        for name, source in self.sources.items():
            check_source(name, source)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The options among the keys of a configuration.

        Raises:
            ValueError: a key that is not an option.
        """
        return checks.make(cls, config, "the model's options")

    @classmethod
    def from_group(cls, group: Mapping[str, Any]) -> Self:
        """The options in a configuration's group `transceiver`; see `from_config`."""
        return cls.from_config({key: value for key, value in group.items() if key not in cls.BESIDE})

    @property
    def sources(self) -> dict[str, str]:
        """The networks that do not come from the model's own folder, by the part that they stand in for."""
        named = {name: getattr(self, name) for name in (*UNETS, "clip")}
        return {name: str(source) for name, source in named.items() if source is not None}


def on_hub(source: str | Path) -> bool:
    """Whether a source is one of the hub, `hub:owner/name`."""
    return str(source).startswith(HUB_PREFIX)


def check_source(name: str, source: str | Path) -> None:
    """Refuse a folder that is not there; of the hub nothing is asked, so that no network is needed to say so.

    A bare `owner/name` is a folder: only the prefix lets a name reach the network.

    Raises:
        ValueError: naming the folder, what it was for, and how a name of the hub is written.
    """
    path = Path(source).expanduser()
    if on_hub(source) or path.is_dir():
        return
    if path.is_file():
        raise ValueError(f"{name} must be a folder in diffusers layout, {path} is a file")
    raise ValueError(f"no weights folder at {path} for {name}: give a folder, or {HUB_PREFIX}owner/name for the hub")


FILES = (
    "config.json",
    "scheduler_config.json",
    "tokenizer*.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "vocab.json",
    "merges.txt",
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "pytorch_lora_weights.safetensors",
)
"""What is read of a part; copies in other precisions, gigabytes each, stay where they are."""


def local_folder(source: str | Path, name: str, parts: Sequence[str] = ("",)) -> Path:
    """The folder that a source names.

    Args:
        source: a folder, or `hub:owner/name`, of which the parts are fetched or taken from the hub's cache.
        name: what it is for, for the error.
        parts: subfolders that are needed of it; "" is the folder itself.

    Raises:
        ValueError: a folder that is not there, or what the hub says.
    """
    check_source(name, source)
    if not on_hub(source):
        return Path(source).expanduser()
    from huggingface_hub import snapshot_download

    patterns = ["model_index.json", *(f"{part}/{file}" if part else file for part in parts for file in FILES)]
    repository = str(source).removeprefix(HUB_PREFIX)
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns))
    except Exception as error:
        raise ValueError(f"cannot get {repository!r} from the hub: {str(error).strip().splitlines()[0]}") from error
