"""Networks and schedules read from folders: of the class that is expected, with all of their weights, or not at all."""

from __future__ import annotations

import copy
import importlib.util
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

import diffusers
import torch
from diffusers import AutoencoderKL, DDIMScheduler, ModelMixin, UNet2DConditionModel
from diffusers.schedulers import KarrasDiffusionSchedulers
from diffusers.utils import logging as diffusers_logging
from transformers import CLIPTextModel, CLIPTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from envs.transceiver.model.folders import config_of
from envs.transceiver.steps import PREDICTIONS

Read = TypeVar("Read", ModelMixin, PreTrainedModel)
LONGEST = 240
"""Characters of what a library says about files that it cannot read."""
CONDITIONED = ("addition_embed_type", "class_embed_type", "encoder_hid_dim_type", "time_cond_proj_dim")
"""What a UNet of another family takes beside latent, timestep and text."""


def read_unet(folder: Path, dtype: torch.dtype) -> UNet2DConditionModel:
    """A conditional UNet of Stable Diffusion's class.

    Raises:
        ValueError: another network, a UNet that wants more than latent, timestep and text, or weights that do not
            fit its configuration.
    """
    config = config_of(folder)
    if wanted := [key for key in CONDITIONED if config.get(key) is not None]:
        raise ValueError(
            f"the UNet in {folder} is of another architecture, conditioned by {', '.join(wanted)} too: "
            "this transceiver runs Stable Diffusion 1.x and 2.x"
        )
    return read_network(UNet2DConditionModel, folder, dtype)


def read_vae(folder: Path, dtype: torch.dtype) -> AutoencoderKL:
    """A VAE of Stable Diffusion's class."""
    vae = read_network(AutoencoderKL, folder, dtype)
    if vae.config.get("shift_factor"):
        raise ValueError(f"the VAE in {folder} shifts its latents: this transceiver runs Stable Diffusion 1.x and 2.x")
    return vae


def read_text_encoder(folder: Path, dtype: torch.dtype) -> CLIPTextModel:
    """A CLIP text model; one inside a whole CLIP model will do."""
    kind = config_of(folder).get("model_type")
    if kind not in ("clip_text_model", "clip"):
        raise ValueError(f"the text encoder in {folder} is a {kind} model, expected a CLIP text model")
    return read_network(CLIPTextModel, folder, dtype)


def read_tokenizer(folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer."""
    with refusals(folder):
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def read_network(network: type[Read], folder: Path, dtype: torch.dtype) -> Read:
    """A network with all of its weights, from safetensors only.

    Raises:
        ValueError: unreadable files, another class of diffusers, or weights that are missing, left over (diffusers) or
            of other shapes.
    """
    of_diffusers = issubclass(network, ModelMixin)
    if of_diffusers and (found := config_of(folder).get("_class_name", network.__name__)) != network.__name__:
        raise ValueError(f"{folder} holds a {found}, expected a {network.__name__}")
    keywords: dict[str, Any] = {"torch_dtype": dtype, "low_cpu_mem_usage": False} if of_diffusers else {"dtype": dtype}
    with refusals(folder), quietly():
        loaded, report = network.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **keywords
        )
    for problem in ("missing_keys", "unexpected_keys" if of_diffusers else "", "mismatched_keys"):
        if keys := sorted(str(key) for key in report.get(problem) or ()):
            raise ValueError(
                f"the weights in {folder} do not fit its configuration: {len(keys)} "
                f"{problem.partition('_')[0]}, such as {keys[0]}"
            )
    return loaded


@contextmanager
def refusals(folder: Path) -> Iterator[None]:
    """Turn whatever a library says about unreadable files into one sentence.

    Raises:
        ValueError: naming the folder.
    """
    try:
        yield
    except Exception as error:
        reason = shorten(str(error), LONGEST, placeholder=" ...") or type(error).__name__
        raise ValueError(f"the weights in {folder} cannot be read: {reason}") from error


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


SAMPLERS = {*(scheduler.name for scheduler in KarrasDiffusionSchedulers), "LCMScheduler"} - {"EDMEulerScheduler"}
"""Schedulers over the same discrete diffusion process as DDIM's."""
NOISE = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "prediction_type")
GRID = ("timestep_spacing", "steps_offset", "set_alpha_to_one")
STABLE_DIFFUSION: dict[str, Any] = {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False}
"""The grid where neither the file nor the class of its sampler speaks of it."""


def load_ddim(folder: Path) -> DDIMScheduler:
    """The diffusion process that a model was trained on, on DDIM's grid.

    A multistep sampler (PNDM, DPM-Solver) carries a history and cannot be handed over between two nodes: of its
    configuration the noise schedule is kept, with the defaults of its own class where the file says nothing, and
    DDIM runs on it.

    Args:
        folder: holds scheduler_config.json.

    Raises:
        ValueError: no such file, a scheduler of another family (flow matching, say), or a schedule that the
            deterministic step cannot run on.
    """
    config = config_of(folder, "scheduler_config.json")
    name = config.get("_class_name", "DDIMScheduler")
    if name not in SAMPLERS:
        raise ValueError(f"the scheduler {name} in {folder} does not sample the diffusion process of DDIM")
    own = {**STABLE_DIFFUSION, **_defaults(getattr(diffusers, name)), **config}
    if own.get("rescale_betas_zero_snr"):
        raise ValueError(f"the schedule in {folder} ends without any signal (rescale_betas_zero_snr): not supported")
    prediction = own.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(f"the model in {folder} predicts {prediction!r}, allowed: {', '.join(PREDICTIONS)}")
    kept = {key: own[key] for key in (*NOISE, *GRID) if key in own}
    try:
        return DDIMScheduler(**kept, clip_sample=False)
    except NotImplementedError as error:
        raise ValueError(f"the noise schedule in {folder} is not one of DDIM's: {error}") from error


def _defaults(scheduler: type) -> dict[str, Any]:
    """The defaults of a scheduler's constructor."""
    parameters = inspect.signature(scheduler.__init__).parameters.values()  # type: ignore[misc]
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


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
