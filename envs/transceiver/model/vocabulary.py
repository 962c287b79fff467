"""What tokenizers make of prompts: the embedded model's knows the words of the captioned scenes and no others."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPTokenizer

WHOLE_WORDS_ONLY = "whole_words_only"
"""Tokenizer flag (kept in tokenizer_config.json): words outside the vocabulary mean nothing to the model."""
NAMED = 10
"""Unknown words that a warning names; of the rest it says how many they are."""


class UnknownWordsWarning(UserWarning):
    """Prompts hold words that the model does not know."""


def token_ids(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Token ids int64 [B, L] of prompts, padded or cut to the tokenizer's length."""
    length = tokenizer.model_max_length
    tokens = tokenizer(list(prompts), padding="max_length", max_length=length, truncation=True, return_tensors="pt")
    return tokens.input_ids


def known_words(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> list[str]:
    """Drop the words that a whole-words tokenizer does not know, with one warning that names and counts them.

    A tokenizer without the flag (Stable Diffusion's) takes every prompt as it is.
    """
    if not tokenizer.init_kwargs.get(WHOLE_WORDS_ONLY, False):
        return list(prompts)
    vocab = tokenizer.get_vocab()
    words = [re.findall(r"[a-z]+", prompt.lower()) for prompt in prompts]
    unknown = [[word for word in each if word + "</w>" not in vocab] for each in words]
    if names := list(dict.fromkeys(word for each in unknown for word in each)):
        count, asked = sum(map(bool, unknown)), sum(map(bool, prompts))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        warnings.warn(
            f"words that the model does not know are left out of {count} of {asked} prompts: "
            f"{', '.join(names[:NAMED])}{more}",
            UnknownWordsWarning,
            stacklevel=3,
        )
    left_out = set(names)
    return [" ".join(word for word in each if word not in left_out) for each in words]


@contextmanager
def warned_once(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Iterator[None]:
    """Warn of the unknown words in all prompts of a work at once, and not again while the block does it in parts."""
    known_words(tokenizer, prompts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownWordsWarning)
        yield
