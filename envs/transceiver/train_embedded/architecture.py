"""Fresh components of the embedded model, with random weights, from plain configuration dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from envs.transceiver.model.scene_classifier import SceneClassifier
from envs.transceiver.model.vocabulary import build_tokenizer
from envs.transceiver.scenes.scenes import COLOURS, NOUNS, PLACES, caption


def all_captions() -> dict[tuple[int, int, int], str]:
    """Captions of every scene by (noun, colour, place) index; -1 leaves colour or place unsaid."""
    colours, places = [*COLOURS, None], [*PLACES, None]
    return {
        (n, c if c < len(COLOURS) else -1, p if p < len(PLACES) else -1): caption(NOUNS[n], colours[c], places[p])
        for n, c, p in product(range(len(NOUNS)), range(len(colours)), range(len(places)))
    }


def new_tokenizer(max_length: int) -> CLIPTokenizer:
    """The tokenizer of the captioned scenes."""
    return build_tokenizer(["an a", *all_captions().values()], max_length)


def new_text_encoder(tokenizer: CLIPTokenizer, seed: int, **config: Any) -> CLIPTextModel:
    """A CLIP text model for the tokenizer, with weights drawn from `seed`."""
    with seeded(seed):
        return CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                max_position_embeddings=tokenizer.model_max_length,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                **config,
            )
        )


def new_vae(seed: int, **config: Any) -> AutoencoderKL:
    """A VAE with one down- and up-block for each entry of `block_out_channels`."""
    blocks = len(config["block_out_channels"])
    with seeded(seed):
        return AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * blocks, up_block_types=("UpDecoderBlock2D",) * blocks, **config
        ).to(memory_format=torch.channels_last)


def new_unet(seed: int, attention: Sequence[bool], **config: Any) -> UNet2DConditionModel:
    """A conditional UNet.

    Args:
        seed: of the weights.
        attention: whether each level, from the finest down, has self- and cross-attention.
        config: the rest of diffusers' configuration.
    """
    with seeded(seed):
        return UNet2DConditionModel(
            down_block_types=tuple("CrossAttnDownBlock2D" if on else "DownBlock2D" for on in attention),
            up_block_types=tuple("CrossAttnUpBlock2D" if on else "UpBlock2D" for on in reversed(attention)),
            **config,
        ).to(memory_format=torch.channels_last)


def new_classifier(seed: int, channels: tuple[int, ...]) -> SceneClassifier:
    """A classifier of the scenes' nouns, colours and places."""
    with seeded(seed):
        return SceneClassifier(list(NOUNS), list(COLOURS), list(PLACES), channels=channels).to(
            memory_format=torch.channels_last
        )


def new_scheduler(**config: Any) -> DDIMScheduler:
    """The noise schedule (Stable Diffusion's by default in the configuration)."""
    return DDIMScheduler(**config)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which torch's initialisers draw from `seed`; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        yield
