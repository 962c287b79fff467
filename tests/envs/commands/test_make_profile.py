"""Measuring a profile: what is said before anything is measured, and what is written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from envs.commands import make_profile
from envs.transceiver.profile import shards
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import TableKey

from ..transceiver.stable_diffusion import MEASURED, choose


def test_a_measured_profile_is_one_file(
    tiny_folder: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    axes = ["measure.receivers.ignore=1", "measure.requests={train: 2, test: 1}", "measure.num_inference_steps=2"]
    one_receiver = ["~measure.receivers.finetuned", "measure.receivers.rematch=null", "measure.codecs=[webp]"]
    output = tmp_path / "new" / "tiny.npz"
    places = [f"transceiver.path={tiny_folder}", f"folder={tmp_path / 'parts'}", f"output={output}"]
    assert command("envs.commands.make_profile", "size=smoke", *axes, *one_receiver, *places) == 0
    said = capsys.readouterr()
    assert "2 train requests\n  noise-free with T = 2, codec webp75: 2 requests, no noisy link\n" in said.out
    assert "\n  ignore with T = 2: 2 requests, 1 draws, 100% of its links measured" in said.out
    assert "plans fitted on these train requests lose at most" in said.out
    assert f"wrote {output}: 0.0" in said.out
    assert "10 of 10 cells" in said.err
    profile = QualityProfile.load(output)
    shapes = {part: profile.part(part).table(TableKey("ignore", 2)).values.shape for part in ("train", "test")}
    assert shapes == {"train": (4, 2, 3, 2, 1), "test": (4, 1, 3, 2, 1)}
    assert profile.part("test").table(TableKey("noise-free", 2, "webp75")).noise_free.shape == (4, 1, 1)
    assert list((tmp_path / "parts").glob("*.ignore.*.npz"))


def test_a_budget_makes_a_file_of_what_there_was_time_for(
    tiny_folder: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    axes = ["measure.receivers.ignore=1", "measure.receivers.rematch=null", "measure.receivers.finetuned=null"]
    axes += ["measure.requests_per_cell=1", "measure.num_inference_steps=1", "measure.codecs=null"]
    output = tmp_path / "tiny.npz"
    places = [f"transceiver.path={tiny_folder}", f"folder={tmp_path / 'parts'}", f"output={output}"]
    arguments = ["size=smoke", *axes, *places, "measure.requests={train: 2, test: 2}"]
    assert command("envs.commands.make_profile", *arguments, "budget_hours=1") == 0
    assert "2 train requests" in capsys.readouterr().out
    for file in (tmp_path / "parts").glob("*.ignore.*.npz"):
        if file.stat().st_mtime_ns == max(each.stat().st_mtime_ns for each in file.parent.glob("*.ignore.*.npz")):
            last = file
    last.unlink()
    assert command("envs.commands.make_profile", *arguments, "shard=gather") == 2
    assert "1 of 12 cells are not in" in capsys.readouterr().err
    assert command("envs.commands.make_profile", *arguments, "shard=gather", "budget_hours=1") == 0
    told = capsys.readouterr().out
    assert "ignore with T = 1: 1 requests" in told
    assert command("envs.commands.make_profile", *arguments, "budget_hours=0") == 2
    assert "budget_hours must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["transceiver=stable_diffusion"], "transceiver.path"),
        (["transceiver=stable_diffusion", "transceiver.path=runwayml/stable-diffusion-v1-5"], "hub:owner/name"),
        (["transceiver=stable_diffusion", "transceiver.path=."], "expected the diffusers layout"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], said: str, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.make_profile", *arguments, f"folder={tmp_path / 'parts'}") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error


def test_the_shipped_profile_is_not_overwritten_by_another_model(
    stable_diffusion_folder: Path,
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(make_profile, "SHIPPED_PROFILE", tmp_path / "shipped.npz")
    places = [f"folder={tmp_path / 'parts'}", f"output={tmp_path / 'shipped.npz'}"]
    assert command("envs.commands.make_profile", *choose(stable_diffusion_folder), *MEASURED, *places) == 2
    assert "output names the shipped profile" in capsys.readouterr().err
    assert not (tmp_path / "shipped.npz").exists()


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("transceiver.clip", "name a CLIP model's folder (clip=FOLDER)"),
        ("transceiver.light_unet", "has no light_unet: choose another receiver"),
    ],
)
def test_what_a_profile_needs_is_said_before_it_is_measured(
    left_out: str,
    said: str,
    stable_diffusion_folder: Path,
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shards, "measure_cells", lambda *_, **__: pytest.fail("work was started"))
    chosen = [override for override in choose(stable_diffusion_folder) if not override.startswith(left_out)]
    folder, output = f"folder={tmp_path / 'parts'}", f"output={tmp_path / 'sd.npz'}"
    assert command("envs.commands.make_profile", *chosen, *MEASURED, folder, output, "workers=1") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "sd.npz").exists()


@pytest.mark.slow
def test_a_profile_is_measured_by_jobs_of_a_cluster(tiny_folder: Path, tmp_path: Path) -> None:
    if find_spec("hydra_plugins.hydra_submitit_launcher") is None:
        pytest.skip("the extra sweep is not installed")
    axes = [f"transceiver.path={tiny_folder}", "measure.num_inference_steps=2", "measure.requests_per_cell=2"]

    def measure(*settings: str) -> None:
        command = [sys.executable, "-m", "envs", "make_profile", *settings, "size=smoke", *axes]
        subprocess.run(
            command,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"},
            check=True,
        )

    measure("folder=whole", "output=whole.npz")
    measure("-m", "shard=0/2,1/2", "launcher=submitit_local", "folder=parts", "output=parts.npz")
    assert not (tmp_path / "parts.npz").exists()
    measure("shard=gather", "folder=parts", "output=parts.npz")
    once, parts = (np.load(tmp_path / f"{name}.npz") for name in ("whole", "parts"))
    assert once.files == parts.files
    assert all(np.array_equal(once[name], parts[name]) for name in once.files)
