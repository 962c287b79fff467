"""Comparing receivers: the same numbers as a profile, features beside them, resumption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from envs.transceiver import load_transceiver
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.receiver_study import ReceiverStudy, study_receivers
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.profile.table import METRICS, TableKey

from .measured import measured_profile

SNR_DB = (-6.0, 0.0, 6.0)
NAMES = ("ignore", "finetuned")


def study_of(folder: Path, parts: Path) -> ReceiverStudy:
    return study_receivers(
        NAMES, 3, SNR_DB, parts, model=str(folder), num_inference_steps=3, guidance_scale=None, workers=1
    )


@pytest.fixture(scope="module")
def studied(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ReceiverStudy, Path]:
    parts = tmp_path_factory.mktemp("study")
    return study_of(tiny_folder, parts), parts


def test_it_measures_what_a_profile_holds(
    studied: tuple[ReceiverStudy, Path], tiny_folder: Path, tmp_path: Path
) -> None:
    axes = dict.fromkeys(NAMES, ReceiverAxes((3,), draws=1))
    params = MeasureParams(str(tiny_folder), axes, {"test": 3}, SNR_DB, num_inference_steps=3)
    part = measured_profile(params, tmp_path).part("test")
    assert part.requests == studied[0].requests
    for name in NAMES:
        for metric in ("alignment", "psnr_db", "ssim"):
            np.testing.assert_array_equal(
                studied[0].values(name, metric), part.table(TableKey(name, 3)).values[METRICS.index(metric), ..., 0]
            )


def test_features_are_those_of_the_delivered_images(studied: tuple[ReceiverStudy, Path], tiny_folder: Path) -> None:
    study, live = studied[0], load_transceiver(tiny_folder, num_inference_steps=3)
    asked = study.requests[1]
    out = live.generate([asked.prompt], [asked.seed], 2, SNR_DB[0], "finetuned")
    classifier = live.components.classifier
    assert classifier is not None
    with torch.no_grad():
        features = classifier.features(out.images)[0].numpy()
    np.testing.assert_allclose(study.features("finetuned")[1, 2, 0], features, atol=1e-4)


def test_frechet_distances(studied: tuple[ReceiverStudy, Path]) -> None:
    study = studied[0]
    distances = study.frechet_distances("ignore", range(4))
    assert distances.shape == (4, len(SNR_DB))
    # At split 0 `ignore` is the generator itself over no channel.
    assert distances[0] == pytest.approx(0.0, abs=1e-3)
    one = image_metrics.frechet_distance(
        torch.from_numpy(study.features("ignore")[:2, 3, 0]), torch.from_numpy(study.features("ignore")[:2, 0, 0])
    )
    assert study.frechet_distances("ignore", [3], without=2)[0, 0] == pytest.approx(one, rel=1e-3, abs=1e-6)


def test_finished_parts_are_kept(studied: tuple[ReceiverStudy, Path], tiny_folder: Path) -> None:
    study, parts = studied
    before = {file: file.stat().st_mtime_ns for file in parts.iterdir()}
    again = study_of(tiny_folder, parts)
    assert {file: file.stat().st_mtime_ns for file in parts.iterdir()} == before
    np.testing.assert_array_equal(again.values("ignore", "ssim"), study.values("ignore", "ssim"))


def test_two_requests_have_no_jackknifed_frechet_distance(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="3 or more"):
        study_receivers(NAMES, 2, SNR_DB, tmp_path, model=str(tiny_folder), num_inference_steps=3, guidance_scale=None)
