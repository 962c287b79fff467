"""What leaks: with a made-up table of who reads what, and with a tiny model."""

from __future__ import annotations

import numpy as np
import pytest

from agents.experiments.eavesdropper import (
    DECODED,
    FINISHED,
    METRICS,
    NOTHING,
    USER,
    WORDS,
    Overheard,
    _claims,
    _draw,
    _Judge,
    _rows,
    _since,
)
from envs.transceiver.transceiver import Transceiver
from tests.envs.transceiver.conftest import tiny_components

SPLITS, SNR_DB, REQUESTS = [5, 10, 20], [-6.0, 15.0], 40


def heard(read_from: int = 10, share: float = 1.0) -> Overheard:
    """Whoever finishes the latent reads a share of the words at 15 dB from a split on, and guesses elsewhere."""
    guess = (np.arange(REQUESTS) % 10 == 0).astype(float)  # one word in ten
    shape = (REQUESTS, len(SPLITS), len(SNR_DB))
    nothing = np.broadcast_to(guess[:, None, None], shape)
    reads = nothing.copy()
    reads[:, [split >= read_from for split in SPLITS], 1] = (np.arange(REQUESTS) < share * REQUESTS)[:, None]
    unsaid = np.full(shape, np.nan)
    values = {
        name: dict.fromkeys(METRICS, own) | {"place": unsaid}
        for name, own in ((USER, np.ones(shape)), (FINISHED, reads), (DECODED, nothing), (NOTHING, nothing))
    }
    return Overheard(SPLITS, SNR_DB, values, dict.fromkeys(WORDS, 0.1))


@pytest.mark.parametrize(("read_from", "private", "seen"), [(10, "no", "yes"), (20, "undecided", "undecided")])
def test_both_papers_are_judged_after_the_same_steps(read_from: int, private: str, seen: str) -> None:
    """Du et al. and MEG cannot both be right; 40 requests of which a tenth is guessed leave chance open."""
    du, meg, *_ = _claims(heard(read_from), early=10)
    assert (du.verdict, meg.verdict) == (private, seen)
    assert "noun" in du.measured


def test_from_when_on_words_are_read() -> None:
    assert _since(heard(), "noun") == "none at -6 dB, 10 at 15 dB (chance 0.10)"
    assert _since(heard(), "place") == "none at -6 dB, none at 15 dB (chance 0.10)"


def test_a_word_that_no_prompt_says_has_no_number() -> None:
    rows = _rows(heard())
    assert len(rows) == 4 * len(SPLITS) * len(SNR_DB)
    assert all(np.isnan(row["place"].mean) and np.isfinite(row["noun"].mean) for row in rows)
    assert len(_draw(heard()).axes) == 8


@pytest.fixture(scope="module")
def judge() -> _Judge:
    return _Judge(Transceiver(tiny_components(), 4), ["a red apple on a table", "a blue car on grass"], [1, 2])


def test_over_a_perfect_link_the_user_has_the_image_and_the_last_latent_is_the_image(judge: _Judge) -> None:
    images = judge.images_of(2, 200.0)
    np.testing.assert_allclose(images[USER].numpy(), judge.reference.numpy(), atol=1e-3)
    assert not np.allclose(images[FINISHED].numpy(), judge.reference.numpy(), atol=1e-3)
    for each in judge.images_of(4, 200.0).values():
        np.testing.assert_allclose(each.numpy(), judge.reference.numpy(), atol=1e-3)


def test_the_eavesdropper_knows_neither_the_prompt_nor_the_users_noise(judge: _Judge) -> None:
    other = _Judge(judge.transceiver, judge.prompts[::-1], judge.seeds)
    other.states = judge.states  # what was sent is the same, who asked for it has said something else
    mine, theirs = judge.images_of(2, 0.0), other.images_of(2, 0.0)
    assert np.array_equal(mine[FINISHED].numpy(), theirs[FINISHED].numpy())
    assert np.array_equal(mine[DECODED].numpy(), theirs[DECODED].numpy())
    assert not np.array_equal(mine[USER].numpy(), theirs[USER].numpy())
    last = judge.images_of(4, 0.0)  # all only decode
    assert not np.array_equal(last[USER].numpy(), last[DECODED].numpy())


def test_words_are_read_by_the_classifier(judge: _Judge) -> None:
    found = dict(zip(METRICS, judge.metrics(judge.reference), strict=True))
    assert found["ssim"] == pytest.approx([1.0, 1.0])
    for word, labels in zip(WORDS, judge.labels.T, strict=True):
        assert np.array_equal(np.isnan(found[word]), labels < 0)
        assert set(found[word][labels >= 0]) <= {0.0, 1.0}
