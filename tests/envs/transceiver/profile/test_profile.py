"""The quality profile: axes, interpolation, safe loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.transceiver.profile.profile import QualityProfile

PROFILE = QualityProfile.synthetic()


@given(st.floats(-30, 30), st.integers(0, 7), st.integers(0, 20), st.integers(0, 5))
def test_interpolation_stays_between_its_neighbours(snr_db: float, request: int, split: int, draw: int) -> None:
    row = PROFILE.values("finetuned", "alignment")[request, split, :, draw].astype(np.float64)
    got = PROFILE.interpolate("finetuned", "alignment", request, split, snr_db, draw)
    assert got == pytest.approx(np.interp(snr_db, PROFILE.snr_db, row), abs=1e-6)


def test_saving_and_loading_keeps_it(tmp_path: Path) -> None:
    PROFILE.save(tmp_path / "profile.npz")
    loaded = QualityProfile.load(tmp_path / "profile.npz")
    assert loaded.requests == PROFILE.requests
    assert loaded.fingerprint == PROFILE.fingerprint
    assert loaded.receivers == PROFILE.receivers
    assert np.allclose(loaded.values("rematch", "ssim"), PROFILE.values("rematch", "ssim"), atol=1e-3)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_unreadable_files_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "profile.npz"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="is not a readable quality profile"):
        QualityProfile.load(file)


def test_foreign_arrays_and_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "foreign.npz", x=np.arange(3))
    np.savez(tmp_path / "pickle.npz", header=np.array([{"a": 1}], dtype=object))
    for name in ("foreign", "pickle"):
        with pytest.raises(ValueError, match="is not a readable quality profile"):
            QualityProfile.load(tmp_path / f"{name}.npz")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="make profile"):
        QualityProfile.load(tmp_path / "absent.npz")


def test_the_first_draws_are_those_of_every_receiver() -> None:
    few = PROFILE.first_draws(4)
    assert [few.draws(name) for name in few.receivers] == [min(4, PROFILE.draws(name)) for name in PROFILE.receivers]
    for metric in few.metrics:
        assert np.array_equal(few.values("finetuned", metric), PROFILE.values("finetuned", metric)[..., :4])
        assert np.array_equal(few.reference(metric), PROFILE.reference(metric))
    with pytest.raises(ValueError, match="draws must be >= 1, got 0"):
        PROFILE.first_draws(0)


def test_another_transceivers_profile_is_refused() -> None:
    PROFILE.check_measured_with({"weights": "synthetic", "channel": "awgn"})
    with pytest.raises(ValueError, match="measured with weights 'synthetic', the transceiver has 'other'"):
        PROFILE.check_measured_with({"weights": "other", "channel": "awgn"})


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="receiver 'magic' is not in this profile: it holds finetuned"):
        PROFILE.values("magic", "ssim")
    with pytest.raises(ValueError, match="unknown metric 'lpips': choose from alignment"):
        PROFILE.values("finetuned", "lpips")


def test_values_that_are_not_finite_are_refused() -> None:
    table = np.full((4, 8, 21, len(PROFILE.snr_db), 3), np.nan)
    with pytest.raises(ValueError, match="not finite"):
        QualityProfile(PROFILE.requests, PROFILE.snr_db, {"ignore": table}, np.zeros((4, 8)), {})
