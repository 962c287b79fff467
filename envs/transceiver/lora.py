"""LoRA adapters, merged into a copy of the generator's UNet by diffusers' own loader."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

from diffusers import UNet2DConditionModel

from envs.transceiver.reading import quietly, refusals

ADAPTER = "pytorch_lora_weights.safetensors"


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds a LoRA adapter as diffusers writes it."""
    return (folder / ADAPTER).is_file()


def with_adapter(unet: UNet2DConditionModel, folder: Path) -> UNet2DConditionModel:
    """A copy of a UNet with an adapter merged into its weights: as large and as fast as the UNet itself.

    Args:
        unet: left as it is.
        folder: holds pytorch_lora_weights.safetensors, in the names of diffusers or of kohya's scripts.

    Raises:
        ValueError: peft is not installed, the file cannot be read, or the adapter is one to another network.
    """
    if importlib.util.find_spec("peft") is None:
        raise ValueError("a LoRA adapter needs the package peft: pip install 'semaigc[lora]'")
    from diffusers.loaders import StableDiffusionLoraLoaderMixin as Loader

    merged = copy.deepcopy(unet)
    with refusals(folder), quietly():
        weights, alphas, metadata = Loader.lora_state_dict(
            folder,
            weight_name=ADAPTER,
            use_safetensors=True,
            local_files_only=True,
            unet_config=unet.config,
            return_lora_metadata=True,
        )
    modules = dict(unet.named_modules())
    layers = {_layer_of(key) for key in weights if key.startswith("unet.")}
    if not layers or not layers <= modules.keys():
        example = f", which has no {sorted(layers - modules.keys())[0]}" if layers else ""
        raise ValueError(f"the adapter in {folder} does not belong to the generator's UNet{example}")
    with refusals(folder), quietly():
        Loader.load_lora_into_unet(weights, network_alphas=alphas, unet=merged, metadata=metadata)
        merged.fuse_lora()
        merged.unload_lora()
    return merged


def _layer_of(key: str) -> str:
    """The layer that an entry of an adapter's file adapts."""
    return key.removeprefix("unet.").partition(".lora")[0].removesuffix(".processor")
