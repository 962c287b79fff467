"""The quality profile: axes, safe loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile()


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
    with pytest.raises(ValueError, match="give a file that `python -m envs make_profile` wrote"):
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
