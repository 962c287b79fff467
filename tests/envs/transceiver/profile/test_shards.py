"""Measuring a profile: parts, resumption, and agreement with the live transceiver."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
from torch import Tensor

from envs.files import Shard
from envs.transceiver import load_transceiver
from envs.transceiver.codecs.images import decode_images, encode
from envs.transceiver.profile import shards
from envs.transceiver.profile.files import cell_files, gather_profile
from envs.transceiver.profile.measurement import Search, SharedRuns, transceiver_of
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.profile.shards import measure_cells
from envs.transceiver.profile.table import METRICS, NOISE_FREE, TableKey

from .measured import measured_profile


def params_of(folder: Path, **changes: object) -> MeasureParams:
    settings = {
        "model": str(folder),
        "receivers": {"finetuned": ReceiverAxes((4, 2), draws=2), "ignore": ReceiverAxes((4,), draws=1, test=1)},
        "requests": {"train": 3, "test": 2},
        "snr_db": (-6.0, 0.0, 6.0),
        "num_inference_steps": 4,
        "batch_size": 5,
        **changes,
    }
    return MeasureParams(**settings)  # type: ignore[arg-type]


def runs_of(params: MeasureParams) -> SharedRuns:
    return SharedRuns(transceiver_of(params), params.requests_of("train"), params.batch_size)


def names_of(params: MeasureParams) -> list[str]:
    files = cell_files(params, Path())
    return [
        file.name
        for cell, file in files.items()
        if cell.receiver == "ignore" and cell.split == 2 and cell.part == "train"
    ]


def assert_equal(one: QualityProfile, other: QualityProfile) -> None:
    for name in ("train", "test"):
        assert one.part(name).requests == other.part(name).requests
        for key, table in one.part(name).tables.items():
            assert np.array_equal(table.measured, other.part(name).table(key).measured, equal_nan=True)
            assert np.array_equal(table.noise_free, other.part(name).table(key).noise_free)


@pytest.fixture(scope="module")
def measured(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    folder = tmp_path_factory.mktemp("parts")
    return measured_profile(params_of(tiny_folder), folder), folder


def test_the_profile_has_its_axes(measured: tuple[QualityProfile, Path]) -> None:
    profile, _ = measured
    shapes = {
        (part, key.receiver, key.num_inference_steps): table.values.shape
        for part in ("train", "test")
        for key, table in profile.part(part).tables.items()
    }
    assert shapes == {
        ("train", "finetuned", 4): (4, 3, 5, 3, 2),
        ("train", "finetuned", 2): (4, 3, 3, 3, 2),
        ("train", "ignore", 4): (4, 3, 5, 3, 1),
        ("test", "finetuned", 4): (4, 2, 5, 3, 2),
        ("test", "finetuned", 2): (4, 2, 3, 3, 2),
        ("test", "ignore", 4): (4, 1, 5, 3, 1),
    }
    assert profile.num_inference_steps == 4
    assert profile.fingerprint["channel"] == "awgn"
    assert not {*profile.part("train").requests} & {*profile.part("test").requests}


def test_its_cells_are_what_the_transceiver_delivers(measured: tuple[QualityProfile, Path], tiny_folder: Path) -> None:
    profile, _ = measured
    for name, steps, request, split, snr, draw in (
        ("train", 4, 0, 2, 0, 1),
        ("train", 4, 2, 4, 1, 0),
        ("test", 4, 1, 0, 2, 1),
        ("test", 2, 0, 1, 2, 1),
        ("train", 2, 2, 1, None, 0),
    ):
        live, part = load_transceiver(tiny_folder, num_inference_steps=steps), profile.part(name)
        table, asked = part.table(TableKey("finetuned", steps)), part.requests[request]
        snr_db = None if snr is None else float(table.snr_db[snr])
        out = live.generate([asked.prompt], [asked.seed], split, snr_db, receiver="finetuned", channel_seeds=[draw])
        held = table.noise_free[:, request, split] if snr is None else table.values[:, request, split, snr, draw]
        assert out.alignment is not None
        assert out.alignment.item() == pytest.approx(held[METRICS.index("alignment")], abs=1e-4)


def test_split_0_does_not_depend_on_the_channel(measured: tuple[QualityProfile, Path]) -> None:
    table = measured[0].part("train").table(TableKey("finetuned", 4))
    assert np.isnan(table.measured[:, :, 0]).all()
    assert np.array_equal(table.values[:, :, 0], np.broadcast_to(table.noise_free[:, :, 0, None, None], (4, 3, 3, 2)))


def test_every_receiver_is_the_identity_behind_the_last_step(measured: tuple[QualityProfile, Path]) -> None:
    part = measured[0].part("train")
    whole = part.table(TableKey("ignore", 4)).noise_free[:, :, 4]
    np.testing.assert_allclose(whole, part.references[4], atol=1e-5)


def test_an_interrupted_measurement_goes_on(
    measured: tuple[QualityProfile, Path], tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile, folder = measured
    lost = sorted(folder.glob("*.finetuned.*.npz"))[2]
    lost.unlink()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    again = measured_profile(params_of(tiny_folder), folder)
    assert lost.exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert_equal(again, profile)


def test_a_model_without_a_classifier_cannot_be_profiled(tiny_folder: Path, tmp_path: Path) -> None:
    import shutil

    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shutil.rmtree(model / "classifier")
    with pytest.raises(ValueError, match="has no classifier"):
        runs_of(params_of(model))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"receivers": {"magic": ReceiverAxes((4,))}}, "unknown receiver 'magic'"),
        ({"receivers": {}}, "receivers must name one or more"),
        ({"channel": "telepathy"}, "unknown channel 'telepathy'"),
        ({"requests": {"train": 0}}, "requests.train must be an integer >= 1, got 0"),
        ({"requests": {"dev": 3}}, "unknown keys in measure.requests: dev; allowed: train, test"),
        ({"requests": {}}, "requests must say how many, for one of train, test or more"),
        ({"first_snr_db": (-6.0, 1.0, 6.0)}, r"first_snr_db must be some of snr_db, got \(-6.0, 1.0, 6.0\)"),
        ({"first_snr_db": (-6.0, 0.0)}, r"first_snr_db must hold both ends of snr_db, got \(-6.0, 0.0\)"),
        ({"accepted": {"beauty": 1.0}}, "unknown keys in measure.accepted: beauty"),
        ({"snr_db": (3.0, 0.0)}, r"snr_db must be a list of two or more increasing numbers, got \(3.0, 0.0\)"),
    ],
)
def test_bad_settings_are_refused(tiny_folder: Path, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params_of(tiny_folder, **change)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0, "finetuned: channel draws must be an integer >= 1, got 0"),
        ({"draw": 3}, "finetuned: unknown keys in measure.receivers.finetuned: draw"),
        ({"num_inference_steps": [8, 0]}, "finetuned: num_inference_steps must be an integer >= 1, got 0"),
        ({"test": -1}, "finetuned: test requests must be an integer >= 0, got -1"),
    ],
)
def test_bad_axes_of_a_receiver_are_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReceiverAxes.from_config("finetuned", given, 20)


def test_parts_over_another_channel_have_names_of_their_own(tiny_folder: Path) -> None:
    choices = ("awgn", {"name": "awgn"}, "rayleigh", {"name": "rayleigh", "gain": "estimated"}, "bit_flip")
    default, *names = (
        names_of(params_of(tiny_folder, **given)) for given in ({}, *({"channel": choice} for choice in choices))
    )
    assert names[0] == names[1] == default
    assert len(set(map(tuple, names))) == 4


def test_a_profile_is_measured_over_another_channel(tiny_folder: Path) -> None:
    one = {"receivers": {"ignore": ReceiverAxes((4,), draws=1)}, "requests": {"train": 1}}
    run, over_awgn = runs_of(params_of(tiny_folder, channel="rayleigh", **one)), runs_of(params_of(tiny_folder, **one))
    assert run.transceiver.fingerprint["channel"] == "rayleigh, gain perfect, equaliser zero_forcing, pilots 4"
    first, other = ([each.deliver("ignore", split, -6.0)["mse"] for split in (0, 2)] for each in (run, over_awgn))
    assert not np.array_equal(first[1], other[1])
    assert np.array_equal(first[0], other[0])


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_shards_gives_the_same_bits(
    measured: tuple[QualityProfile, Path], tiny_folder: Path, tmp_path: Path, count: int
) -> None:
    params = params_of(tiny_folder)
    for index in reversed(range(count)):
        measure_cells(params, tmp_path, workers=1, threads=1, shard=Shard(index, count))
    once, parts = (sorted(folder.glob("*.npz")) for folder in (measured[1], tmp_path))
    assert [file.name for file in parts] == [file.name for file in once]
    gathered = gather_profile(params, tmp_path)
    assert_equal(gathered, measured[0])
    for name, profile in (("once", measured[0]), ("parts", gathered)):
        profile.save(tmp_path / f"{name}.npz")
    one, other = (np.load(tmp_path / f"{name}.npz") for name in ("once", "parts"))
    assert one.files == other.files
    assert all(one[name].tobytes() == other[name].tobytes() for name in one.files)


def test_shards_share_all_cells_and_none_twice(tiny_folder: Path) -> None:
    files = list(cell_files(params_of(tiny_folder, requests_per_cell=1), Path()).values())
    assert len(set(files)) == len(files)
    assert all(sum(Shard(index, 4).holds(file) for index in range(4)) == 1 for file in files)
    assert all(any(Shard(index, 4).holds(file) for file in files) for index in range(4))


def test_what_is_missing_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"30 of 30 cells are not in .*: noise-free with T = 4 at split 4, train requests, block 0; .*26 more",
    ):
        gather_profile(params_of(tiny_folder), tmp_path)


def test_cells_of_fewer_requests_are_those_of_the_first_ones(tiny_folder: Path) -> None:
    sizes = ({"train": 2, "test": 2}, {"train": 4, "test": 2})
    few, more = (
        set(cell_files(params_of(tiny_folder, requests_per_cell=2, requests=size), Path()).values()) for size in sizes
    )
    assert few < more


def test_another_receiver_or_t_invalidates_nothing(tiny_folder: Path) -> None:
    axes = {"ignore": ReceiverAxes((4,), draws=1)}
    wider = axes | {"rematch": ReceiverAxes((4, 2), draws=2)}
    one, more = (set(cell_files(params_of(tiny_folder, receivers=each), Path()).values()) for each in (axes, wider))
    assert one < more


def test_a_budget_measures_the_first_requests_of_all_tables(tiny_folder: Path, tmp_path: Path) -> None:
    params = params_of(tiny_folder, requests_per_cell=1)
    with pytest.raises(ValueError, match="too few cells are in .* for any table of the train and test requests"):
        gather_profile(params, tmp_path, whole=False)
    files = cell_files(params, tmp_path)
    ordered = sorted(files, key=lambda cell: shards._first_requests_first(params, cell))
    shares = [params.block(cell.part, cell.block).stop / params.requests[cell.part] for cell in ordered]
    assert shares == sorted(shares)
    measure_cells(params, tmp_path, workers=1, threads=1, budget_s=1e-9)
    assert [cell for cell, file in files.items() if file.is_file()]
    for cell, file in files.items():
        if cell.part == "train" and cell.block == 2:
            file.unlink(missing_ok=True)
    measure_cells(params_of(tiny_folder, requests_per_cell=1, requests={"train": 2, "test": 2}), tmp_path, 1, 1)
    few = gather_profile(params, tmp_path, whole=False)
    assert few.part("train").requests == params.requests_of("train")[:2]
    assert {len(table.rows) for table in few.part("train").tables.values()} == {2}


def test_what_is_between_snrs_of_equal_acceptance_is_not_measured() -> None:
    """By hand: one line that is accepted from the fifth of nine SNRs on, and one that never is."""
    search = Search((0, 8), {"alignment": 0.5})
    truth = np.zeros((4, 1, 9, 2), np.float32)
    truth[0, 0, 4:, 0] = 1.0
    wanted, values, rounds = search.first((1, 9, 2)), np.full_like(truth, np.nan), []
    while wanted.any():
        rounds.append([np.flatnonzero(wanted[0, :, draw]).tolist() for draw in range(2)])
        values[:, wanted] = truth[:, wanted]
        wanted = search.next(values)
    assert rounds == [[[0, 8], [0, 8]], [[4], []], [[2], []], [[3], []]]


def test_a_search_finds_what_measuring_everything_finds(tiny_folder: Path) -> None:
    """The acceptance of a random model's images is set where some of them pass."""
    params = params_of(tiny_folder, snr_db=tuple(float(snr) for snr in range(-8, 9, 2)), num_inference_steps=4)
    runs, levels = runs_of(params), np.array(params.snr_db)
    whole = runs.table("ignore", 3, levels, 2, Search(None, {}))
    least = float(np.median(whole[METRICS.index("psnr_db")]))
    found = runs.table("ignore", 3, levels, 2, Search((0, 8), {"psnr_db": least}))
    known = ~np.isnan(found[0])
    assert known[:, [0, -1]].all()
    assert known.sum() < known.size
    np.testing.assert_allclose(found[:, known], whole[:, known], atol=1e-4)
    accepted, index = whole[METRICS.index("psnr_db")] >= least, METRICS.index("psnr_db")
    for request, draw in np.ndindex(3, 2):
        steps = np.flatnonzero(np.diff(accepted[request, :, draw].astype(int)))
        if len(steps) == 1:  # one change: both neighbours are measured
            assert known[request, [steps[0], steps[0] + 1], draw].all()
            assert (found[index, request, steps[0] + 1, draw] >= least) == accepted[request, -1, draw]


def test_requests_are_all_prompts_once_before_any_twice(tiny_folder: Path) -> None:
    params = params_of(tiny_folder, requests={"train": 480, "test": 500})
    train, test = (params.requests_of(part) for part in ("train", "test"))
    assert len({request.prompt for request in train}) == 480
    assert len({request.prompt for request in test[:480]}) == 480
    assert not {*train} & {*test}
    few = params_of(tiny_folder, requests={"train": 7, "test": 9})
    assert (few.requests_of("train"), few.requests_of("test")) == (train[:7], test[:9])
    assert params_of(tiny_folder, requests={"train": 7}, seed=1).requests_of("train") != train[:7]


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


def test_coded_latents_have_tables_of_their_own_and_leave_the_others_valid(tiny_folder: Path, tmp_path: Path) -> None:
    plain = params_of(tiny_folder, receivers={"finetuned": ReceiverAxes((4,), draws=1)}, requests={"test": 2})
    coded = params_of(
        tiny_folder, receivers={"finetuned": ReceiverAxes((4,), draws=1, codecs=("u4",))}, requests={"test": 2}
    )
    assert {*cell_files(plain, tmp_path).values()} < {*cell_files(coded, tmp_path).values()}
    measured_profile(plain, tmp_path / "cells").save(tmp_path / "plain.npz")
    measured_profile(coded, tmp_path / "cells").save(tmp_path / "coded.npz")
    one, other = (QualityProfile.load(tmp_path / f"{name}.npz").part("test") for name in ("plain", "coded"))
    key = TableKey("finetuned", 4)
    assert np.array_equal(one.table(key).measured, other.table(key).measured, equal_nan=True)
    table = other.table(TableKey("finetuned", 4, "u4"))
    assert table.draws == 0
    assert "channel" not in table.fingerprint
    live, asked = load_transceiver(tiny_folder, num_inference_steps=4), other.requests[1]
    out = live.execute("semaigc(2)_u4@4", prompts=[asked.prompt], seeds=[asked.seed], snr_db=-6.0)
    assert out.alignment is not None
    assert out.alignment.item() == pytest.approx(table.noise_free[METRICS.index("alignment"), 1, 2], abs=1e-3)
    np.testing.assert_array_equal(table.noise_free[:, :, 0], one.table(key).noise_free[:, :, 0])  # nothing is sent
    assert not np.array_equal(table.noise_free[:, :, 2], one.table(key).noise_free[:, :, 2])
    with pytest.raises(ValueError, match=r"no table of finetuned with T = 4, codec u4"):
        one.table(TableKey("finetuned", 4, "u4"))
    with pytest.raises(ValueError, match="unknown codec of latents 'u9'"):
        ReceiverAxes.from_config("finetuned", {"draws": 1, "codecs": ["u9"]}, 4)


CODED = {
    "codecs": ("webp", "jpeg30", "webp75"),
    "receivers": {"finetuned_light": ReceiverAxes((4,), 1, 1, 1, (), (2,))},
}


@pytest.fixture(scope="module")
def coded(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    folder = tmp_path_factory.mktemp("coded")
    return measured_profile(params_of(tiny_folder, **CODED), folder), folder


def test_coded_images_have_tables_without_a_channel(coded: tuple[QualityProfile, Path], tiny_folder: Path) -> None:
    profile, folder = coded
    params = params_of(tiny_folder, **CODED)
    assert params.codecs == ("webp75", "jpeg30")
    part = profile.part("train")
    keys = [key for key in part.tables if key.receiver == NOISE_FREE]
    assert keys == [TableKey(NOISE_FREE, steps, codec) for codec in params.codecs for steps in (4, 2)]
    for key in keys:
        table = part.table(key)
        assert (table.splits, table.draws, len(table.rows)) == ((key.num_inference_steps,), 0, 3)
        assert "channel" not in table.fingerprint
        runs = SharedRuns(transceiver_of(params, key.num_inference_steps), part.requests)
        files = [encode(each, key.codec) for each in _pixels(runs.reference_images)]
        expected = runs.judge(decode_images(files, runs.reference_images), np.arange(3))
        np.testing.assert_allclose(table.noise_free[..., 0], expected, rtol=1e-4)
        assert (table.noise_free[METRICS.index("ssim"), ..., 0] < 1.0).all()
        assert not np.array_equal(table.noise_free[0, :, 0], part.references[key.num_inference_steps][0])
    saved = folder / "profile.npz"
    profile.save(saved)
    read = QualityProfile.load(saved).part("test").table(keys[0])
    np.testing.assert_allclose(read.noise_free, profile.part("test").table(keys[0]).noise_free, rtol=2e-3, atol=1e-3)


def test_a_light_network_has_other_steps_at_split_0_on_all_requests(
    coded: tuple[QualityProfile, Path], tiny_folder: Path
) -> None:
    part = coded[0].part("train")
    whole, local = (part.table(TableKey("finetuned_light", steps)) for steps in (4, 2))
    assert (whole.splits, len(whole.rows)) == ((0, 1, 2, 3, 4), 1)
    assert (local.splits, len(local.rows)) == ((0,), 3)
    runs = SharedRuns(transceiver_of(params_of(tiny_folder, **CODED), 2), part.requests)
    np.testing.assert_allclose(local.noise_free[..., 0], runs.noise_free("finetuned_light", 0), rtol=1e-4)


def test_codecs_and_local_steps_leave_the_other_cells_where_they_are(tiny_folder: Path) -> None:
    plain, more = params_of(tiny_folder), params_of(tiny_folder, codecs=("avif",))
    axes = dict(plain.receivers) | {"finetuned": ReceiverAxes((4, 2), draws=2, local_steps=(3,))}
    both = params_of(tiny_folder, codecs=("avif",), receivers=axes)
    files = [set(cell_files(each, Path()).values()) for each in (plain, more, both)]
    assert files[0] < files[1] < files[2]


def test_a_coded_image_is_measured_after_the_trajectory_that_it_shares(tiny_folder: Path) -> None:
    params = params_of(tiny_folder, codecs=("avif",))
    cells = sorted(cell_files(params, Path()), key=partial(shards._longest_first, params))
    whole = [cell.table == TableKey(NOISE_FREE, cell.num_inference_steps) for cell in cells]
    assert whole == sorted(whole, reverse=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codecs": ("png",)}, "measure.codecs must be lossy codecs of images, jpeg, webp, avif, got 'png'"),
        ({"codecs": ("u4",)}, "measure.codecs must be lossy codecs of images"),
        ({"codecs": ("gif",)}, "unknown codec 'gif'"),
    ],
)
def test_codecs_of_images_are_checked(change: dict, message: str, tiny_folder: Path) -> None:
    with pytest.raises(ValueError, match=message):
        params_of(tiny_folder, **change)


def test_local_steps_are_other_steps() -> None:
    with pytest.raises(ValueError, match="local_steps are T beside num_inference_steps, got 5 among both"):
        ReceiverAxes((20, 5), local_steps=(8, 5))


def _pixels(images: Tensor) -> np.ndarray:
    return np.ascontiguousarray(images.mul(255).round().byte().permute(0, 2, 3, 1).numpy())
