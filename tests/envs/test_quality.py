"""Quality read from a profile, the first acceptable attempt, and values that are read when looked at."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.plans import expand
from envs.quality import COUNTABLE, FEW, ProfileQuality, Readings, first_acceptable, first_success_weights
from envs.transceiver.profile.profile import METRICS, QualityProfile
from tests.profiles import interpolate, snr_position, synthetic_profile


def of_many_snrs(count: int) -> QualityProfile:
    """A profile with as many SNRs, on the lines of one with few."""
    few = synthetic_profile(num_requests=2, draws=3)
    snr_db = np.linspace(-20.0, 20.0, count)
    request, split, snr, draw = np.ix_(range(2), range(21), snr_db, range(3))
    tables = {"finetuned": np.stack([interpolate(few, "finetuned", m, request, split, snr, draw) for m in METRICS])}
    reference = np.stack([few.reference(metric) for metric in METRICS])
    return QualityProfile(few.requests, snr_db, tables, reference, few.fingerprint)


@pytest.mark.parametrize("count", [COUNTABLE, COUNTABLE + 2, COUNTABLE + 3, 300])
def test_any_number_of_snrs_is_found(count: int) -> None:
    profile = of_many_snrs(count)
    quality = ProfileQuality(profile, expand("semaigc(12)"), "finetuned", "alignment", 0.9, 3)
    snr_db = np.random.default_rng(0).uniform(-21.0, 21.0, 2 * FEW)
    low, weight = quality._position(snr_db)
    expected_low, expected_weight = snr_position(profile, snr_db)
    np.testing.assert_array_equal(low, expected_low)
    np.testing.assert_allclose(weight, expected_weight, atol=1e-9)
    one_by_one = [quality._position(snr_db[i : i + 1]) for i in range(len(snr_db))]
    np.testing.assert_array_equal(low, np.concatenate([each[0] for each in one_by_one]))
    np.testing.assert_array_equal(weight, np.concatenate([each[1] for each in one_by_one]))


@given(st.floats(-30.0, 30.0), st.integers(0, 7), st.integers(0, 20), st.integers(0, 5))
def test_what_is_served_lies_on_a_line_between_measured_snrs(
    snr_db: float, request: int, split: int, draw: int
) -> None:
    profile = synthetic_profile()
    quality = ProfileQuality(profile, expand("semaigc"), "finetuned", "alignment", 0.9, 1)
    state = SimpleNamespace(snr_db=np.array([snr_db]), request=np.array([request]), draws=np.array([[draw]]))
    served = quality.serve(np.array([split]), state)  # type: ignore[arg-type]
    for metric in METRICS:
        row = profile.values("finetuned", metric)[request, split, :, draw].astype(np.float64)
        expected = np.interp(snr_db, profile.snr_db, row)
        assert served.quality[metric][0] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert served.accepted[0] == (served.quality["alignment"][0] >= 0.9)


@pytest.mark.parametrize(("draws", "attempts"), [(3, 3), (6, 3), (5, 1), (4, 2)])
def test_first_success_weights_count_all_orders(draws: int, attempts: int) -> None:
    weights = first_success_weights(draws, attempts)
    orders = np.array(list(permutations(range(draws), attempts)))
    for successes in range(draws + 1):
        hits = orders < successes
        first = [np.mean(hits[:, j] & ~hits[:, :j].any(axis=1)) for j in range(attempts)]
        np.testing.assert_allclose(weights[successes], first, atol=1e-12)


def test_first_acceptable() -> None:
    rejected = np.array([[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1]], dtype=bool)
    attempts, accepted = first_acceptable(rejected)
    assert attempts.tolist() == [1, 2, 3, 3]
    assert accepted.tolist() == [True, True, True, False]


PLAIN = {"psnr_db": np.array([1.0, 2.0]), "ssim": np.array([3.0, 4.0])}


def readings(read: list[int]) -> Readings:
    def rows() -> np.ndarray:
        read.append(1)
        return np.stack(list(PLAIN.values()))

    return Readings(tuple(PLAIN), rows)


@pytest.mark.parametrize(
    "look",
    [
        lambda made: {name: made[name] for name in PLAIN},
        lambda made: dict(made),
        lambda made: {**made},
        lambda made: dict(made.items()),
        lambda made: dict(zip(made.keys(), made.values(), strict=True)),
        lambda made: {name: made.get(name) for name in made},
        lambda made: {} | made,
        lambda made: copy.deepcopy(made),
        lambda made: copy.copy(made),
        lambda made: pickle.loads(pickle.dumps(made)),
        lambda made: eval(repr(made), {"array": np.array}),
        lambda made: json.loads(json.dumps(made, default=np.ndarray.tolist)),
        lambda made: made.copy(),
        lambda made: made | {},
        lambda made: dict(reversed([*reversed(made.items())])),
        lambda made: {name: made.pop(name) for name in PLAIN},
        lambda made: {name: made.setdefault(name, None) for name in PLAIN},
        lambda made: (lambda **entries: entries)(**made),
    ],
)
def test_every_look_sees_all_of_it(look: Callable[[Readings], dict[str, Any]]) -> None:
    read: list[int] = []
    made = readings(read)
    seen = look(made)
    assert list(seen) == list(PLAIN)
    for name, values in PLAIN.items():
        np.testing.assert_array_equal(seen[name], values)
    dict(made)
    assert read == [1]


def test_nothing_is_read_before() -> None:
    read: list[int] = []
    made = readings(read)
    assert isinstance(made, dict)
    assert "ssim" in made
    assert "lpips" not in made
    assert len(made) == 2
    assert not read
    with pytest.raises(KeyError):
        made["lpips"]
    assert read == [1]


def test_what_is_written_first_is_kept() -> None:
    made = readings([])
    made["ssim"] = "mine"
    made |= {"lpips": 5.0}
    assert list(made) == ["psnr_db", "ssim", "lpips"]
    assert made["ssim"] == "mine"
    made.clear()
    assert not made


def test_equality() -> None:
    def made() -> Readings:
        return Readings(("a", "b"), lambda: [1, 2])

    assert made() == made() == {"a": 1, "b": 2}
    assert made() != {"a": 1}
    assert not operator.ne(made(), {"a": 1, "b": 2})
