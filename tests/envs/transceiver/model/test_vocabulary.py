"""The tokenizer of the scenes' words."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from envs.transceiver.model.vocabulary import known_words
from envs.transceiver.train_embedded.architecture import all_captions, new_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return new_tokenizer(12)


def test_every_word_of_every_caption_is_one_token(tokenizer: CLIPTokenizer) -> None:
    for text in all_captions():
        assert tokenizer.tokenize(text) == [word + "</w>" for word in text.split()]


def test_different_prompts_have_different_tokens(tokenizer: CLIPTokenizer) -> None:
    rows = {tuple(tokenizer(text).input_ids) for text in all_captions()}
    assert len(rows) == len(all_captions())


def test_a_saved_tokenizer_is_the_same(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = CLIPTokenizer.from_pretrained(tmp_path)
    text = "a red apple on the beach"
    assert loaded(text, padding="max_length").input_ids == tokenizer(text, padding="max_length").input_ids
    with pytest.warns(UserWarning, match="furry"):
        assert known_words(loaded, "a furry cat") == "a cat"


def test_unknown_words_are_named_in_a_warning(tokenizer: CLIPTokenizer) -> None:
    with pytest.warns(UserWarning, match="cute, furry"):
        assert known_words(tokenizer, "A cute furry cat") == "a cat"
    assert known_words(tokenizer, "A red apple, on a table.") == "a red apple on a table"
