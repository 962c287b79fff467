"""The embedded model's tokenizer: a CLIP tokenizer whose vocabulary is the words of the captioned scenes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
WHOLE_WORDS_ONLY = "whole_words_only"
"""Tokenizer flag (kept in tokenizer_config.json): words outside the vocabulary mean nothing to the model."""


def build_tokenizer(captions: Sequence[str], max_length: int) -> CLIPTokenizer:
    """Build a CLIP tokenizer in which every word of `captions` is one token.

    Args:
        captions: texts whose words make the vocabulary.
        max_length: tokens of a prompt, start and end included.
    """
    from transformers import CLIPTokenizer

    words = sorted({word for text in captions for word in text.split()})
    merges: list[tuple[str, str]] = []
    pieces = {char for word in words for char in word} | {char + "</w>" for word in words for char in word}
    for word in words:
        parts = _apply(merges, [*word[:-1], word[-1] + "</w>"])
        while len(parts) > 1:
            merges.append((parts[0], parts[1]))
            parts = [parts[0] + parts[1], *parts[2:]]
            pieces.add(parts[0])
    vocab = {piece: index for index, piece in enumerate([*sorted(pieces), BOS, EOS])}
    return CLIPTokenizer(
        vocab=vocab, merges=merges, model_max_length=max_length, pad_token=EOS, **{WHOLE_WORDS_ONLY: True}
    )


def known_words(tokenizer: CLIPTokenizer, prompt: str) -> str:
    """Drop the words of a prompt that a whole-words tokenizer does not know, with a warning that names them.

    A tokenizer without the flag (Stable Diffusion's) takes every prompt as it is.
    """
    if not tokenizer.init_kwargs.get(WHOLE_WORDS_ONLY, False):
        return prompt
    vocab = tokenizer.get_vocab()
    words = re.findall(r"[a-z]+", prompt.lower())
    unknown = [word for word in words if word + "</w>" not in vocab]
    if unknown:
        warnings.warn(
            f"words that the model does not know are left out of {prompt!r}: {', '.join(unknown)}", stacklevel=3
        )
    return " ".join(word for word in words if word not in unknown)


def _apply(merges: list[tuple[str, str]], parts: list[str]) -> list[str]:
    for left, right in merges:
        index = 0
        while index < len(parts) - 1:
            if (parts[index], parts[index + 1]) == (left, right):
                parts[index : index + 2] = [left + right]
            else:
                index += 1
    return parts
