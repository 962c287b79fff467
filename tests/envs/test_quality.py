"""Quality read from a profile, the first acceptable attempt, and values that are read when looked at."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.plans import edge_aigc, expand, semaigc
from envs.quality import COUNTABLE, FEW, ProfileQuality, Readings, first_acceptable, first_success_weights
from envs.transceiver.profile.acceptance import ACCEPTANCE_RULES
from envs.transceiver.profile.profile import ProfilePart, QualityProfile
from envs.transceiver.profile.table import METRICS, TableKey
from tests.profiles import (
    interpolate,
    part_with,
    profile_with,
    snr_position,
    synthetic_profile,
    table_of,
    values_of,
)

RULE = ACCEPTANCE_RULES["alignment"]


def of_many_snrs(count: int) -> QualityProfile:
    """A profile with as many SNRs, on the lines of one with few."""
    few = synthetic_profile(num_requests=2, draws=3)
    snr_db = np.linspace(-20.0, 20.0, count)
    request, split, snr, draw = np.ix_(range(2), range(21), snr_db, range(3))
    tables = {"finetuned": np.stack([interpolate(few, "finetuned", m, request, split, snr, draw) for m in METRICS])}
    part = few.part("train")
    return profile_with(part_with("train", part.requests, snr_db, tables, part.references[20]))


@pytest.mark.parametrize("count", [COUNTABLE, COUNTABLE + 2, COUNTABLE + 3, 300])
def test_any_number_of_snrs_is_found(count: int) -> None:
    profile = of_many_snrs(count)
    quality = ProfileQuality(profile.part("train"), expand("semaigc(12)"), "finetuned", RULE, 3)
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
    quality = ProfileQuality(profile.part("train"), expand("semaigc"), "finetuned", RULE, 1)
    state = SimpleNamespace(snr_db=np.array([snr_db]), request=np.array([request]), draws=np.array([[draw]]))
    served = quality.serve(np.array([split]), state)  # type: ignore[arg-type]
    for metric in METRICS:
        row = values_of(profile, "finetuned", metric)[request, split, :, draw].astype(np.float64)
        expected = np.interp(snr_db, table_of(profile, "finetuned").snr_db, row)
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


def two_lengths() -> ProfilePart:
    """Tables of T = 20 and, on fewer requests, at other SNRs and with fewer draws, of T = 8."""
    long, short = synthetic_profile().part("train"), synthetic_profile(5, 8, 4, seed=7).part("train")
    key = TableKey("finetuned", 8)
    at = np.array([-20.0, -7.0, 4.0, 20.0])
    table = replace(short.table(key), snr_db=at, measured=short.table(key).at(at))
    return replace(long, tables=dict(long.tables) | {key: table}, references=long.references | short.references)


def test_plans_of_several_lengths_read_their_own_tables_on_what_both_have() -> None:
    part = two_lengths()
    chosen = (semaigc(12, 20), edge_aigc(8), semaigc(3, 8))
    quality = ProfileQuality(part, chosen, "finetuned", RULE, 3)
    assert (quality.num_requests, quality.num_draws) == (5, 4)
    assert quality.requests == part.requests[:5]
    assert {key.num_inference_steps for key in quality.keys} == {8, 20}
    snr_db = np.array([-20.0, -8.2, -7.0, -6.0, 3.1, 20.0])
    state = SimpleNamespace(snr_db=snr_db, request=np.arange(6) % 5, draws=np.array([np.arange(6) % 4] * 3))
    rows, draw = np.arange(6) % 5, np.arange(6) % 4
    for action, steps, split in ((0, 20, 12), (2, 8, 3)):
        served = quality.serve_all(state, ("psnr_db",)).quality["psnr_db"][:, action]  # type: ignore[arg-type]
        found = part.table(TableKey("finetuned", steps)).at(snr_db)[1]
        np.testing.assert_allclose(served, found[rows, split, np.arange(6), draw], rtol=1e-5)
    whole = quality.serve_all(state, ("ssim",)).quality["ssim"][:, 1]  # type: ignore[arg-type]
    np.testing.assert_allclose(whole, part.reference(8, "ssim")[rows])


def test_a_table_or_a_split_that_is_missing_is_refused_by_name() -> None:
    part = two_lengths()
    with pytest.raises(ValueError, match=r"plan semaigc\(3\) was not measured: the profile has no table of finetuned"):
        ProfileQuality(part, (semaigc(3, 12),), "finetuned", RULE, 3)
    key = TableKey("finetuned", 8)
    table, few = part.table(key), [0, 2, 8]
    sparse = replace(
        table, splits=(0, 2, 8), measured=table.measured[:, :, few], noise_free=table.noise_free[:, :, few]
    )
    held = replace(part, tables=dict(part.tables) | {key: sparse})
    quality = ProfileQuality(held, (semaigc(2, 8),), "finetuned", RULE, 3)
    assert np.array_equal(quality._tables["ssim"][0, :, 1, -1], table.at(np.array([20.0]))[2, :, 2, 0, 1])
    with pytest.raises(ValueError, match=r"semaigc\(3\) was not measured: .* has no split 3, only 0, 2, 8"):
        ProfileQuality(held, (semaigc(3, 8),), "finetuned", RULE, 3)


def test_chances_by_request_are_those_whose_mean_is_the_chance() -> None:
    quality = ProfileQuality(synthetic_profile().part("test"), expand("semaigc"), "finetuned", RULE, 3)
    snr_db = np.linspace(-10.0, 15.0, 7)
    chances, images = quality.acceptance(snr_db, ("ssim",))
    each, of_each = quality.acceptance(snr_db, ("ssim",), by_request=True)
    assert each.shape == (8, *chances.shape)
    np.testing.assert_allclose(each.mean(axis=0), chances, atol=1e-12)
    weighed = np.divide((each * of_each["ssim"]).mean(axis=0), chances, out=np.zeros_like(chances), where=chances > 0)
    np.testing.assert_allclose(weighed, images["ssim"], atol=1e-12)


def test_over_a_digital_link_every_snr_and_draw_has_what_a_perfect_link_gives(profile: QualityProfile) -> None:
    part = profile.part("train")
    chosen = expand(["semaigc", "edge_aigc"])
    noisy, digital = (ProfileQuality(part, chosen, "finetuned", RULE, 3, is_noisy) for is_noisy in (True, False))
    assert (digital.requests, digital.num_draws) == (noisy.requests, noisy.num_draws)  # the same states on either link
    column = part.table(TableKey("finetuned", 20)).noise_free[METRICS.index("ssim")]  # [R, K]
    for snr_db in (-20.0, -6.0, 3.3, 40.0):
        state: Any = SimpleNamespace(
            snr_db=np.full(8, snr_db),
            request=np.arange(8),
            draws=np.stack([np.roll(np.arange(6), i)[:3] for i in range(8)]).T,
        )
        for split in (0, 7, 20):
            served = digital.serve(np.full(8, split), state)
            np.testing.assert_allclose(served.quality["ssim"], column[:, split], rtol=1e-6)
    at_minus_6 = SimpleNamespace(snr_db=np.full(8, -6.0), request=np.arange(8), draws=np.zeros((3, 8), dtype=np.int64))
    assert not np.allclose(noisy.serve(np.full(8, 7), at_minus_6).quality["ssim"], column[:, 7], atol=0.05)  # type: ignore[arg-type]


@pytest.mark.parametrize("is_noisy", [True, False])
def test_a_coded_latent_reads_the_column_of_its_codec_at_every_snr(profile: QualityProfile, is_noisy: bool) -> None:
    part = profile.part("train")
    plain = part.table(TableKey("finetuned", 20))
    coded = replace(plain, measured=plain.measured[..., :0], noise_free=plain.noise_free - np.float32(0.05))
    with_codec = replace(part, tables={**part.tables, TableKey("finetuned", 20, "u4"): coded})
    quality = ProfileQuality(with_codec, expand(["semaigc(12)_u4", "semaigc(12)"]), "finetuned", RULE, 3, is_noisy)
    assert quality.num_draws == 6  # the codec's table has no draws, and does not limit those of others
    for snr_db in (-20.0, 12.0):
        state: Any = SimpleNamespace(
            snr_db=np.full(8, snr_db), request=np.arange(8), draws=np.zeros((3, 8), dtype=np.int64)
        )
        seen = quality.serve(np.zeros(8, dtype=np.int64), state).quality["alignment"]
        np.testing.assert_allclose(seen, coded.noise_free[METRICS.index("alignment"), :, 12], rtol=1e-6)
    with pytest.raises(ValueError, match=r"semaigc\(12\)_u4 was not measured: .* finetuned with T = 20, codec u4"):
        ProfileQuality(part, expand("semaigc(12)_u4"), "finetuned", RULE, 3, is_noisy)
