"""The tokenizer of the scenes' words."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from envs.transceiver.model.vocabulary import UnknownWordsWarning, known_words, warned_once
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
    with pytest.warns(UnknownWordsWarning, match="furry"):
        assert known_words(loaded, ["a furry cat"]) == ["a cat"]


def test_unknown_words_of_all_prompts_are_named_and_counted_in_one_warning(tokenizer: CLIPTokenizer) -> None:
    prompts = [
        "A cute furry cat",
        "A red apple, on a table.",
        "",
        *(f"a {letter}x furry car" for letter in "abcdefghij"),
    ]
    with pytest.warns(UnknownWordsWarning) as said:
        known = known_words(tokenizer, prompts)
    assert known[:4] == ["a cat", "a red apple on a table", "", "a car"]
    (warning,) = said
    assert str(warning.message) == (
        "words that the model does not know are left out of 11 of 12 prompts: "
        "cute, furry, ax, bx, cx, dx, ex, fx, gx, hx and 2 more"
    )


def test_a_work_in_parts_warns_once(tokenizer: CLIPTokenizer) -> None:
    prompts = ["a furry cat", "a cute cat"]

    def work() -> list[str]:
        with warned_once(tokenizer, prompts):
            return [known_words(tokenizer, [prompt])[0] for prompt in prompts]

    with pytest.warns(UnknownWordsWarning) as said:
        assert work() == ["a cat", "a cat"]
    assert len(said) == 1
