"""The quality profile: parts, tables, gaps between measured SNRs, safe loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.transceiver.profile.profile import PROMPT, ProfilePart, QualityProfile
from envs.transceiver.profile.table import METRICS, PSNR_CAP_DB, QualityTable, TableKey
from tests.profiles import FINGERPRINT, part_named, part_with, profile_with, synthetic_part, synthetic_profile, table_of

PROFILE = synthetic_profile()
KEY = TableKey("rematch", 20)


def with_gaps(table: QualityTable, share: float, seed: int) -> QualityTable:
    """The table without some of its SNRs, other ones in every line; both ends stay."""
    known = np.random.default_rng(seed).random(table.measured.shape[1:]) >= share
    known[..., [0, -1], :] = True
    return replace(table, measured=np.where(known, table.measured, np.nan))


def profile_of(table: QualityTable) -> QualityProfile:
    part = PROFILE.part("train")
    return profile_with(ProfilePart("train", part.requests, part.references, {KEY: table}))


def test_saving_and_loading_keeps_it(tmp_path: Path) -> None:
    PROFILE.save(tmp_path / "profile.npz")
    loaded = QualityProfile.load(tmp_path / "profile.npz")
    assert loaded.fingerprint == PROFILE.fingerprint
    assert loaded.num_inference_steps == 20
    for name in ("train", "test"):
        part, kept = PROFILE.part(name), loaded.part(name)
        assert kept.requests == part.requests
        assert kept.receivers == part.receivers
        assert dict(kept.table(KEY).fingerprint) == FINGERPRINT
        assert np.allclose(kept.reference(20, "psnr_db"), PSNR_CAP_DB)
        for metric, tolerance in zip(METRICS, (1e-3, 0.02, 1e-3, 2e-3), strict=True):
            index = METRICS.index(metric)
            assert np.allclose(kept.table(KEY).values[index], part.table(KEY).values[index], atol=tolerance, rtol=5e-3)
    assert not np.array_equal(loaded.part("train").table(KEY).values, loaded.part("test").table(KEY).values)


def test_what_was_not_measured_is_not_stored_and_not_invented(tmp_path: Path) -> None:
    sparse = with_gaps(table_of(PROFILE, "rematch"), 0.7, 1)
    for name, table in (("dense", table_of(PROFILE, "rematch")), ("sparse", sparse)):
        profile_of(table).save(tmp_path / f"{name}.npz")
    loaded = table_of(QualityProfile.load(tmp_path / "sparse.npz"), "rematch")
    assert np.array_equal(np.isnan(loaded.measured), np.isnan(sparse.measured))
    assert (tmp_path / "sparse.npz").stat().st_size < 0.7 * (tmp_path / "dense.npz").stat().st_size


def test_a_file_that_has_not_changed_is_read_once(tmp_path: Path) -> None:
    PROFILE.save(tmp_path / "profile.npz")
    first = QualityProfile.load(tmp_path / "profile.npz")
    assert QualityProfile.load(tmp_path / "profile.npz") is first
    synthetic_profile(num_requests=3).save(tmp_path / "profile.npz")
    assert len(QualityProfile.load(tmp_path / "profile.npz").part("train").requests) == 3


@given(share=st.floats(0.0, 1.0), seed=st.integers(0, 2**16))
def test_gaps_are_filled_on_the_line_between_measured_snrs(share: float, seed: int) -> None:
    table = with_gaps(table_of(PROFILE, "rematch"), share, seed)
    filled = table.values
    known = ~np.isnan(table.measured)
    assert np.array_equal(filled[known], table.measured[known])
    request, split, draw = (int(np.random.default_rng(seed).integers(n)) for n in (8, 21, 3))
    line = table.measured[1, request, split, :, draw]
    there = ~np.isnan(line)
    if split:
        expected = np.interp(table.snr_db, table.snr_db[there], line[there])
    else:
        expected = np.full(len(line), table.noise_free[1, request, 0])
    np.testing.assert_allclose(filled[1, request, split, :, draw], expected, rtol=1e-5)


def test_a_table_is_read_at_other_snrs() -> None:
    table = table_of(PROFILE, "finetuned")
    asked = np.array([-30.0, -20.0, -8.0, 4.5, 20.0, 30.0])
    found = table.at(asked)
    for request, split, draw in ((0, 3, 1), (7, 20, 5)):
        expected = np.interp(asked, table.snr_db, table.values[0, request, split, :, draw])
        np.testing.assert_allclose(found[0, request, split, :, draw], expected, rtol=1e-4, atol=1e-6)
    assert table.at(table.snr_db) is table.values


def test_all_requests_are_those_of_both_parts_at_the_snrs_of_both() -> None:
    few = synthetic_part("test", 5, 20, 4, 9)
    other = part_with(
        "test",
        few.requests,
        [-20.0, 0.0, 30.0],
        {"finetuned": few.table(TableKey("finetuned", 20)).at(np.array([-20.0, 0.0, 30.0]))},
        few.references[20],
    )
    train = PROFILE.part("train")
    both = profile_with(train, other).part("all")
    assert both.requests == train.requests + other.requests
    assert both.receivers == ("finetuned",)
    table = both.table(TableKey("finetuned", 20))
    assert table.snr_db.tolist() == sorted({*train.table(KEY).snr_db.tolist(), 30.0})
    assert (len(table.rows), table.draws) == (13, 4)
    at = table.snr_db.tolist().index
    wide = train.table(TableKey("finetuned", 20))
    assert np.array_equal(
        table.values[:, :8, 3:, at(-6.0)], wide.values[:, :, 3:, wide.snr_db.tolist().index(-6.0), :4]
    )
    last = other.table(TableKey("finetuned", 20)).values
    np.testing.assert_allclose(table.values[:, 8:, :, at(30.0)], last[..., -1, :], rtol=1e-5)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "profile.npz"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="is not a readable quality profile"):
        QualityProfile.load(file)


def test_foreign_arrays_pickles_and_older_formats_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", x=np.arange(3))
    np.savez(tmp_path / "pickle.npz", header=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "old.npz", header=np.array('{"format": "split-diffusion quality profile, version 1"}'))
    for name in ("foreign", "pickle", "old"):
        with pytest.raises(ValueError, match="is not a readable quality profile"):
            QualityProfile.load(tmp_path / f"{name}.npz")
    with pytest.raises(ValueError, match=r"version 1', expected .*version 2': measure it anew"):
        QualityProfile.load(tmp_path / "old.npz")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give a file that `python -m envs make_profile` wrote"):
        QualityProfile.load(tmp_path / "absent.npz")


def test_a_limited_profile_has_the_first_requests_and_draws() -> None:
    few = PROFILE.limited(requests=5, draws=4)
    for name in ("train", "test"):
        part, whole = few.part(name), PROFILE.part(name)
        assert part.requests == whole.requests[:5]
        assert np.array_equal(part.reference(20, "ssim"), whole.reference(20, "ssim")[:5])
        for key, table in part.tables.items():
            assert table.draws == min(4, whole.table(key).draws)
            assert np.array_equal(table.values, whole.table(key).values[:, :5, ..., :4])
    with pytest.raises(ValueError, match="draws must be an integer >= 1, got 0"):
        PROFILE.limited(draws=0)


def test_another_transceivers_table_is_refused() -> None:
    table = table_of(PROFILE, "rematch")
    table.check_measured_with({"weights": "synthetic", "channel": "awgn"})
    with pytest.raises(ValueError, match="measured with weights 'synthetic', given is 'other'"):
        table.check_measured_with({"weights": "other", "channel": "awgn"})


def test_unknown_names_are_refused() -> None:
    part = PROFILE.part("test")
    with pytest.raises(ValueError, match="no table of magic with T = 20 for its test requests; it has finetuned with"):
        part.table(TableKey("magic", 20))
    with pytest.raises(ValueError, match="no table of rematch with T = 8 for its test requests"):
        part.table(TableKey("rematch", 8))
    with pytest.raises(ValueError, match="unknown metric 'lpips'; allowed: alignment"):
        part.reference(20, "lpips")
    with pytest.raises(ValueError, match="images of T = 8 were not measured, only of T = 20"):
        part.reference(8, "ssim")
    with pytest.raises(ValueError, match="unknown requests 'dev'; allowed: train, test, all"):
        PROFILE.part("dev")
    with pytest.raises(ValueError, match="the profile has no test requests of kind 'prompt'; it has train"):
        QualityProfile({(PROMPT, "train"): part_named("train", part)}, 20, {}).part("test")
    with pytest.raises(ValueError, match="no train requests of kind 'image'; it has none"):
        PROFILE.part("train", kind="image")


def test_values_that_are_not_finite_are_refused() -> None:
    table = table_of(PROFILE, "rematch")
    for changes in (
        {"noise_free": np.full_like(table.noise_free, np.nan)},
        {"measured": np.full_like(table.measured, np.inf)},
    ):
        with pytest.raises(ValueError, match="not finite"):
            replace(table, **changes)
    with pytest.raises(ValueError, match="noise-free values have shape"):
        replace(table, noise_free=table.noise_free[:, :2])
    with pytest.raises(ValueError, match="a table has shape"):
        replace(table, measured=table.measured[:, :2])
