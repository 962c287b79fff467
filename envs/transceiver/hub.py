"""Folders of models: on this machine, or fetched from the Hugging Face hub when the name says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envs.transceiver.options import HUB_PREFIX, check_source, on_hub

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
