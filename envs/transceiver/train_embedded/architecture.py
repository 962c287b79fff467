"""Fresh components of the embedded model, with random weights, from plain configuration dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from envs.transceiver.model.scene_classifier import SceneClassifier
from envs.transceiver.model.vocabulary import WHOLE_WORDS_ONLY
from envs.transceiver.scenes.scenes import COLOURS, NOUNS, PLACES, caption

BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def all_captions() -> list[str]:
    """Captions of every noun, colour and place, in their order; colour and place left unsaid come last."""
    return [caption(*words) for words in product(NOUNS, (*COLOURS, None), (*PLACES, None))]


def new_tokenizer(max_length: int) -> CLIPTokenizer:
    """A CLIP tokenizer in which every word of the captions is one token; prompts take `max_length`, ends included."""
    words = sorted({word for text in all_captions() for word in text.split()})
    merges: list[tuple[str, str]] = []
    pieces = {char for word in words for char in word} | {char + "</w>" for word in words for char in word}
    for word in words:
        parts = _merged(merges, [*word[:-1], word[-1] + "</w>"])
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
            pieces.add(parts[0])
    vocab = {piece: index for index, piece in enumerate([*sorted(pieces), BOS, EOS])}
    return CLIPTokenizer(
        vocab=vocab, merges=merges, model_max_length=max_length, pad_token=EOS, **{WHOLE_WORDS_ONLY: True}
    )


def _merged(merges: list[tuple[str, str]], parts: list[str]) -> list[str]:
    """The parts of a word after byte-pair merges, made in their order."""
    for left, right in merges:
        index = 0
        while index < len(parts) - 1:
            if (parts[index], parts[index + 1]) == (left, right):
                parts[index : index + 2] = [left + right]
            else:
                index += 1
    return parts


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


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which torch's initialisers draw from `seed`; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        yield
