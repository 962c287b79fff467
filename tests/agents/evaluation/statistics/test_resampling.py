from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import Bootstrap, Crossed, resampling


def test_every_stratum_keeps_its_size() -> None:
    counts = np.concatenate(list(Bootstrap(resamples=250, seed=0).counts((3, 5))))
    assert counts.shape == (250, 8)
    assert set(counts[:, :3].sum(axis=1)) == {3.0}
    assert set(counts[:, 3:].sum(axis=1)) == {5.0}


def test_each_row_is_drawn_once_on_average() -> None:
    # The mean of n multinomial counts of mean 1 and variance 1 - 1/4 has a standard error of 0.014: five of them.
    counts = np.concatenate(list(Bootstrap(resamples=4000, seed=1).counts((4,))))
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=5 * np.sqrt(0.75 / 4000))


def test_what_is_kept_is_what_would_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = np.concatenate(list(Bootstrap(resamples=130, seed=3).counts((6, 2))))
    monkeypatch.setattr(resampling, "_KEPT", 0)
    np.testing.assert_array_equal(np.concatenate(list(Bootstrap(resamples=130, seed=3).counts((6, 2)))), kept)
    assert not np.array_equal(np.concatenate(list(Bootstrap(resamples=130, seed=4).counts((6, 2)))), kept)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"confidence": 0.0}, "confidence"), ({"confidence": 1.0}, "confidence"), ({"resamples": 0}, "resamples")],
)
def test_bad_bootstrap(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Bootstrap(**given)  # type: ignore[arg-type]


def test_a_row_counts_as_often_as_its_episode_and_its_request_together(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = Crossed(np.array([5, 5, 7, 9]), np.array([0, 1, 0, 1]))
    bootstrap = Bootstrap(resamples=130, seed=3)
    counts = np.concatenate(list(bootstrap.counts((3, 2))))
    expected = counts[:, [0, 0, 1, 2]] * counts[:, [3, 4, 3, 4]]
    kept = np.concatenate(list(bootstrap.weights(labels)))
    np.testing.assert_array_equal(kept, expected)
    assert kept.dtype == np.float32
    monkeypatch.setattr(resampling, "_KEPT_WEIGHTS", 0)
    np.testing.assert_array_equal(np.concatenate(list(bootstrap.weights(labels))), expected)


def test_the_same_labels_share_their_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(resampling, "_weights", lambda *given: drawn.append(given) or iter([np.ones((2, 4))]))
    bootstrap = Bootstrap(resamples=2, seed=77)
    for episodes in ([5, 5, 7, 9], [0, 0, 1, 2], [0, 1, 1, 2]):
        list(bootstrap.weights(Crossed(np.array(episodes), np.array([0, 1, 0, 1]))))
    assert len(drawn) == 2  # the first two are the same episodes
