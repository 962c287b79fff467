"""Measuring a profile: parts, resumption, and agreement with the live transceiver."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.transceiver import load_transceiver
from envs.transceiver.profile.measurement import Measurement
from envs.transceiver.profile.parallel import _part_file, measure_profile
from envs.transceiver.profile.profile import METRICS, QualityProfile
from envs.transceiver.profile.settings import MeasureParams


def params_of(folder: Path, **changes: object) -> MeasureParams:
    settings = {
        "model": str(folder),
        "receivers": {"finetuned": 2, "ignore": 1},
        "num_requests": 3,
        "snr_db": (-6.0, 0.0, 6.0),
        "num_inference_steps": 4,
        "batch_size": 5,
        **changes,
    }
    return MeasureParams(**settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def measured(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return measure_profile(params_of(tiny_folder), folder, workers=1, threads=1), folder


def test_the_profile_has_its_axes(measured: tuple[QualityProfile, Path]) -> None:
    profile, _ = measured
    assert profile.values("finetuned", "alignment").shape == (3, 5, 3, 2)
    assert profile.values("ignore", "mse").shape == (3, 5, 3, 1)
    assert profile.num_inference_steps == 4
    assert profile.fingerprint["channel"] == "awgn"


def test_its_cells_are_what_the_transceiver_delivers(measured: tuple[QualityProfile, Path], tiny_folder: Path) -> None:
    profile, _ = measured
    live = load_transceiver(tiny_folder, num_inference_steps=4)
    for request, split, snr, draw in ((0, 2, 0, 1), (2, 4, 1, 0), (1, 0, 2, 1), (2, 1, 2, 1)):
        asked = profile.requests[request]
        out = live.generate(
            [asked.prompt],
            [asked.seed],
            split,
            float(profile.snr_db[snr]),
            receiver="finetuned",
            channel_seeds=[draw],
        )
        cell = profile.values("finetuned", "alignment")[request, split, snr, draw]
        assert out.alignment is not None
        assert out.alignment.item() == pytest.approx(cell, abs=1e-4)


def test_split_0_does_not_depend_on_the_channel(measured: tuple[QualityProfile, Path]) -> None:
    table = measured[0].values("finetuned", "psnr_db")[:, 0]
    assert np.all(table == table[:, :1, :1])


def test_an_interrupted_measurement_goes_on(
    measured: tuple[QualityProfile, Path], tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, folder = measured
    lost = sorted(folder.glob("*.finetuned.*.npy"))[2]
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    again = measure_profile(params_of(tiny_folder), folder, workers=1, threads=1)
    assert lost.exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for metric in METRICS:
        assert np.array_equal(again.values("finetuned", metric), profile.values("finetuned", metric))


def test_a_model_without_a_classifier_cannot_be_profiled(tiny_folder: Path, tmp_path: Path) -> None:
    import shutil

    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shutil.rmtree(model / "classifier")
    with pytest.raises(ValueError, match="has no classifier"):
        Measurement(params_of(model))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"receivers": {"magic": 3}}, "unknown receiver 'magic'"),
        ({"receivers": {"ignore": 0}}, "channel draws of ignore must be an integer >= 1, got 0"),
        ({"channel": "telepathy"}, "unknown channel 'telepathy'"),
        ({"num_requests": 0}, "num_requests must be an integer >= 1, got 0"),
        ({"snr_db": (3.0, 0.0)}, r"snr_db must be a list of two or more increasing numbers, got \(3.0, 0.0\)"),
    ],
)
def test_bad_settings_are_refused(tiny_folder: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params_of(tiny_folder, **change)


def test_parts_over_another_channel_have_names_of_their_own(tiny_folder: Path) -> None:
    choices = ("awgn", {"name": "awgn"}, "rayleigh", {"name": "rayleigh", "gain": "estimated"}, "bit_flip")
    default, *names = (
        _part_file(tiny_folder, params_of(tiny_folder, **given), "ignore", 2)
        for given in ({}, *({"channel": choice} for choice in choices))
    )
    assert names[0] == names[1] == default
    assert len(set(names)) == 4


def test_a_profile_is_measured_over_another_channel(tiny_folder: Path) -> None:
    params = params_of(tiny_folder, channel="rayleigh", receivers={"ignore": 1}, num_requests=1)
    run = Measurement(params)
    over_awgn = Measurement(params_of(tiny_folder, receivers={"ignore": 1}, num_requests=1))
    assert run.transceiver.fingerprint["channel"] == "rayleigh, gain perfect, equaliser zero_forcing, pilots 4"
    assert not np.array_equal(run.part("ignore", 2), over_awgn.part("ignore", 2))
    assert np.array_equal(run.part("ignore", 0), over_awgn.part("ignore", 0))
