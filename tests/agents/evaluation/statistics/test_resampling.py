from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import Bootstrap, resampling


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
