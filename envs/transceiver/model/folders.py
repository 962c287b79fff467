"""What is in a model's folder: its parts, its fingerprint, its guidance. Nothing is loaded; light to import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from envs.transceiver.model.options import UNETS, ModelOptions, local_folder

EMBEDDED = Path(__file__).parents[1] / "weights" / "embedded"
REQUIRED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
OPTIONAL = ("finetune_unet", "finetune_light_unet", "light_unet", "classifier")
SHARED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler", "classifier")
"""What every receiver's measurement depends on."""
PIPELINES = ("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline")
"""What a model's index may call itself: one text encoder, one latent UNet."""
DEFAULT_GUIDANCE_SCALE = 7.5
"""Of a model whose folder does not say."""
DEFAULTS = ModelOptions()


def model_folder(path: str | Path | None) -> Path:
    """The folder of a model, whole.

    Raises:
        ValueError: no such folder, or one that is not in the layout of Stable Diffusion.
    """
    if path is None:
        return EMBEDDED
    folder = local_folder(path, "the model", REQUIRED + OPTIONAL)
    kind = _index(folder).get("_class_name", PIPELINES[0])
    if kind not in PIPELINES:
        raise ValueError(
            f"{folder} is of another architecture ({kind}): this transceiver runs Stable Diffusion 1.x and 2.x"
        )
    missing = [name for name in REQUIRED if not (folder / name).is_dir()]
    if missing:
        raise ValueError(f"{folder} lacks {', '.join(missing)}: expected the diffusers layout {', '.join(REQUIRED)}")
    return folder


def unet_folder(source: str | Path, name: str) -> Path:
    """The folder of a UNet, which may be that of a model that has it in `unet`."""
    folder = local_folder(source, name, ("", "unet"))
    return folder / "unet" if (folder / "unet").is_dir() else folder


def check_networks(path: str | Path | None, options: ModelOptions, networks: Sequence[str]) -> None:
    """Refuse a model that lacks a UNet of some names.

    Args:
        path, options: as `envs.transceiver.load_transceiver` takes them.
        networks: the names.

    Raises:
        ValueError: naming what is missing.
    """
    folder = model_folder(path)
    for name in networks:
        if name not in options.sources and not (folder / name).is_dir():
            raise ValueError(no_network(path or "embedded", name))


def check_judge(path: str | Path | None, options: ModelOptions) -> None:
    """Refuse a model with nothing that judges alignment.

    Raises:
        ValueError: there is neither a classifier nor a CLIP model, or the folder of one holds another model.
    """
    if options.clip is not None:
        check_clip(local_folder(options.clip, "clip"))
    elif not (model_folder(path) / "classifier").is_dir():
        raise ValueError(no_judge(path))


def check_clip(folder: Path) -> None:
    """Refuse a folder that is not that of a CLIP model.

    Raises:
        ValueError: naming the folder.
    """
    kind = config_of(folder).get("model_type")
    if kind != "clip":
        raise ValueError(f"{folder} holds a {kind} model: the CLIP score needs a folder of transformers' CLIPModel")


def no_network(source: object, name: str) -> str:
    """What is said of a model without a UNet."""
    return f"the model {source} has no {name}: choose another receiver, or name a folder ({name}=FOLDER)"


def no_judge(source: object) -> str:
    """What is said of a model with nothing that judges alignment."""
    return (
        f"the model {source} has no classifier, so alignment cannot be measured: "
        "name a CLIP model's folder (clip=FOLDER)"
    )


def config_of(folder: Path, file: str = "config.json") -> dict[str, Any]:
    """The configuration of a part.

    Raises:
        ValueError: no readable file.
    """
    try:
        config = json.loads((folder / file).read_text(encoding="utf-8"))
        return dict(config)
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{folder} has no readable {file}: {error}") from error


def model_guidance(path: str | Path | None) -> float | None:
    """The guidance that a model was made for, None where its folder does not say."""
    scale = _index(model_folder(path)).get("guidance_scale")
    return None if scale is None else float(scale)


def transceiver_fingerprint(
    path: str | Path | None, options: ModelOptions, num_inference_steps: int, guidance_scale: float | None
) -> dict[str, str]:
    """What `Transceiver.fingerprint` says of weights and sampler, read from the folders alone."""
    scale = (model_guidance(path) or DEFAULT_GUIDANCE_SCALE) if guidance_scale is None else guidance_scale
    return {"weights": model_fingerprint(path, options), "sampler": sampler(num_inference_steps, scale)}


def networks_fingerprint(
    path: str | Path | None,
    options: ModelOptions,
    num_inference_steps: int,
    guidance_scale: float | None,
    network: str,
) -> dict[str, str]:
    """The same of what a receiver runs: other receivers' networks may change."""
    weights = model_fingerprint(path, options, [*SHARED, network])
    return transceiver_fingerprint(path, options, num_inference_steps, guidance_scale) | {"weights": weights}


def sampler(num_inference_steps: int, guidance_scale: float) -> str:
    """How a fingerprint names the sampler."""
    return f"ddim, {num_inference_steps} steps, guidance {guidance_scale:g}"


def model_fingerprint(
    path: str | Path | None, options: ModelOptions = DEFAULTS, parts: Sequence[str] | None = None
) -> str:
    """sha256 over the weight, tokenizer and scheduler files of a model and of what stands in for its parts.

    Args:
        path: as `load_components` takes it.
        options: names what stands in.
        parts: some of the model's parts; None is all of them.
    """
    own = _files_digest(_stamped(model_folder(path), parts or REQUIRED + OPTIONAL))
    others = [
        f"{name} {_files_digest(_stamped(unet_folder(source, name) if name in UNETS else local_folder(source, name)))}"
        for name, source in options.sources.items()
        if parts is None or name in parts or name == "clip"
    ]
    return hashlib.sha256(" ".join([own, *others]).encode()).hexdigest()[:16] if others else own


def _stamped(folder: Path, parts: Sequence[str] | None = None) -> tuple[tuple[str, str, int, int], ...]:
    """What a digest reads: path, name within the folder, size and time of each file."""
    found = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        wanted = not parts or (file.parent != folder and name.parts[0] in parts)
        if wanted and file.suffix in (".safetensors", ".json", ".txt"):
            found.append((str(file), str(name), file.stat().st_size, file.stat().st_mtime_ns))
    return tuple(found)


@lru_cache(maxsize=64)
def _files_digest(files: tuple[tuple[str, str, int, int], ...]) -> str:
    """Digest of files; those that have not changed are not read again, since real models have gigabytes."""
    digest = hashlib.sha256()
    for path, name, _, _ in files:
        digest.update(name.encode())
        with Path(path).open("rb") as content:
            while block := content.read(1 << 24):
                digest.update(block)
    return digest.hexdigest()[:16]


def _index(folder: Path) -> dict[str, Any]:
    index = folder / "model_index.json"
    return json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
