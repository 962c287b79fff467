"""What tokenizers make of prompts: the embedded model's knows the words of the captioned scenes and no others."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPTokenizer

WHOLE_WORDS_ONLY = "whole_words_only"
"""Tokenizer flag (kept in tokenizer_config.json): words outside the vocabulary mean nothing to the model."""


def token_ids(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Token ids int64 [B, L] of prompts, padded or cut to the tokenizer's length."""
    length = tokenizer.model_max_length
    tokens = tokenizer(list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    return tokens.input_ids


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
