from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import resampling
from agents.evaluation.statistics.resampling import weight_chunks


def test_every_stratum_keeps_its_size() -> None:
    counts = np.concatenate(list(weight_chunks((3, 5), 250, 0)))
    assert counts.shape == (250, 8)
    assert set(counts[:, :3].sum(axis=1)) == {3.0}
    assert set(counts[:, 3:].sum(axis=1)) == {5.0}


def test_each_row_is_drawn_once_on_average() -> None:
    # The mean of n multinomial counts of mean 1 and variance 1 - 1/4 has a standard error of 0.014: five of them.
    counts = np.concatenate(list(weight_chunks((4,), 4000, 1)))
    np.testing.assert_allclose(counts.mean(axis=0), 1.0, atol=5 * np.sqrt(0.75 / 4000))


def test_what_is_kept_is_what_would_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = np.concatenate(list(weight_chunks((6, 2), 130, 3)))
    monkeypatch.setattr(resampling, "_KEPT", 0)
    np.testing.assert_array_equal(np.concatenate(list(weight_chunks((6, 2), 130, 3))), kept)
    assert not np.array_equal(np.concatenate(list(weight_chunks((6, 2), 130, 4))), kept)
