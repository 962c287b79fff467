"""Measuring a profile: parts, resumption, and agreement with the live transceiver."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

from envs.transceiver import load_transceiver
from envs.transceiver.profile import shards
from envs.transceiver.profile.measurement import SharedRuns, transceiver_of
from envs.transceiver.profile.profile import METRICS, QualityProfile
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.profile.shards import (
    Shard,
    cell_files,
    gather_profile,
    measure_cells,
)

from .measured import measured_profile


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


def runs_of(params: MeasureParams) -> SharedRuns:
    return SharedRuns(transceiver_of(params), params.requests(), params.batch_size)


def names_of(params: MeasureParams) -> list[str]:
    files = cell_files(params, Path())
    return [file.name for cell, file in files.items() if cell.receiver == "ignore" and cell.split == 2]


@pytest.fixture(scope="module")
def measured(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return measured_profile(params_of(tiny_folder), folder), folder


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
    again = measured_profile(params_of(tiny_folder), folder)
    assert lost.exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for metric in METRICS:
        assert np.array_equal(again.values("finetuned", metric), profile.values("finetuned", metric))


def test_a_model_without_a_classifier_cannot_be_profiled(tiny_folder: Path, tmp_path: Path) -> None:
    import shutil

    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shutil.rmtree(model / "classifier")
    with pytest.raises(ValueError, match="has no classifier"):
        runs_of(params_of(model))


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
        names_of(params_of(tiny_folder, **given)) for given in ({}, *({"channel": choice} for choice in choices))
    )
    assert names[0] == names[1] == default
    assert len(set(map(tuple, names))) == 4


def test_a_profile_is_measured_over_another_channel(tiny_folder: Path) -> None:
    params = params_of(tiny_folder, channel="rayleigh", receivers={"ignore": 1}, num_requests=1)
    run, over_awgn = runs_of(params), runs_of(params_of(tiny_folder, receivers={"ignore": 1}, num_requests=1))
    assert run.transceiver.fingerprint["channel"] == "rayleigh, gain perfect, equaliser zero_forcing, pilots 4"
    first, other = ([each.measure("ignore", split, (-6.0, 6.0), [0]) for split in (0, 2)] for each in (run, over_awgn))
    assert not np.array_equal(first[1], other[1])
    assert np.array_equal(first[0], other[0])


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_shards_gives_the_same_bits(
    measured: tuple[QualityProfile, Path], tiny_folder: Path, tmp_path: Path, count: int
) -> None:
    params = params_of(tiny_folder)
    for index in reversed(range(count)):
        measure_cells(params, tmp_path, workers=1, threads=1, shard=Shard(index, count))
    once, parts = (sorted(folder.glob("*.npy")) for folder in (measured[1], tmp_path))
    assert [file.name for file in parts] == [file.name for file in once]
    assert [file.read_bytes() for file in parts] == [file.read_bytes() for file in once]
    for name in ("finetuned", "ignore"):
        values = gather_profile(params, tmp_path).values(name, "ssim")
        assert np.array_equal(values, measured[0].values(name, "ssim"))


def test_shards_share_all_cells_and_none_twice(tiny_folder: Path) -> None:
    files = list(cell_files(params_of(tiny_folder, requests_per_cell=1), Path()).values())
    assert len(set(files)) == len(files)
    assert all(sum(Shard(index, 4).holds(file) for index in range(4)) == 1 for file in files)
    assert all(any(Shard(index, 4).holds(file) for file in files) for index in range(4))


def test_what_is_missing_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"15 of 15 cells are not in .*: noise-free at split 4, block 0, draw 0; .*11 more"
    ):
        gather_profile(params_of(tiny_folder), tmp_path)


def test_cells_of_fewer_requests_are_those_of_the_first_ones(tiny_folder: Path) -> None:
    few, more = (
        set(cell_files(params_of(tiny_folder, requests_per_cell=2, num_requests=count), Path()).values())
        for count in (2, 4)
    )
    assert few < more


def test_every_gpu_has_a_worker_that_sees_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert shards.visible_gpus() == ["3", "5"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert shards.visible_gpus() == ["0", "1"]
    queue: SimpleQueue[str | None] = SimpleQueue()
    queue.put("5")
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    with warnings.catch_warnings():
        shards._start_worker(None, Path(), 1, SharedRuns, queue)  # type: ignore[arg-type]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5"


def test_gpus_are_asked_for_where_there_are_none(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers=gpus needs a GPU, this machine shows none"):
        measure_cells(params_of(tiny_folder), tmp_path, workers="gpus", threads=1)


@pytest.mark.parametrize("text", ["8", "8/8", "1/0", "-1/8", "a/b", "1/8/2"])
def test_shards_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="shard"):
        Shard.from_text(text)
