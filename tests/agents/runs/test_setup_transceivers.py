"""Transceivers: what is refused before anything is loaded, and what is said of weights that a profile is not of."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.runs.image_log import ImageLog
from agents.runs.setup import check_transceiver, prepare_environment
from envs import SplitSettings
from envs.command_line import CONFIGS
from envs.transceiver.model.folders import networks_fingerprint
from envs.transceiver.model.options import ModelOptions
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import TableKey
from tests.envs.transceiver.conftest import stable_diffusion_folder, tiny_folder
from tests.profiles import synthetic_profile

__all__ = ["stable_diffusion_folder", "tiny_folder"]


@pytest.mark.parametrize("path", [None, "hub:owner/name"])
def test_nothing_to_look_for_on_this_machine(path: str | None) -> None:
    check_transceiver(OmegaConf.create({"path": path, "guidance_scale": None, "device": "cpu"}))


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    check_transceiver(OmegaConf.create({"path": str(tmp_path), "guidance_scale": None, "device": "cpu"}))


@pytest.mark.parametrize("config", [{"path": "missing", "guidance_scale": None, "device": "cpu"}, {"path": None}])
def test_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="transceiver"):
        check_transceiver(OmegaConf.create(config))


def composed(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(name, list(overrides))


def measured_with(folder: Path | None) -> QualityProfile:
    """A made-up profile; its table of `finetuned` says that it was measured with a model."""
    profile, key = synthetic_profile(), TableKey("finetuned", 20)
    used = networks_fingerprint(folder, ModelOptions(), 20, None, "finetune_unet") | {"channel": "awgn"}
    parts = {
        place: replace(part, tables={**part.tables, key: replace(part.table(key), fingerprint=used)})
        for place, part in profile.parts.items()
    }
    return QualityProfile(parts, 20, profile.fingerprint)


@pytest.mark.parametrize(
    "chosen",
    [
        ["transceiver=stable_diffusion", "transceiver.path={sd}/model", "transceiver.clip={sd}/clip"],
        ["transceiver.path={tiny}"],
        ["transceiver.finetune_unet={tiny}/finetune_unet"],
        ["+transceiver.dtype=float32", "transceiver.guidance_scale=5"],
        ["transceiver.path={tiny}", "env=live"],
    ],
)
def test_weights_that_the_profile_was_not_measured_with_are_refused(
    chosen: list[str],
    tiny_folder: Path,
    stable_diffusion_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is loaded; the command that is printed measures a profile of exactly this transceiver."""
    monkeypatch.setattr("agents.runs.setup.load_transceiver", lambda **_: pytest.fail("networks were loaded"))
    given = [each.format(sd=stable_diffusion_folder, tiny=tiny_folder) for each in chosen]
    measured_with(None).save(tmp_path / "embedded.npz")
    config = composed("evaluate", *given, f"env.profile={tmp_path / 'embedded.npz'}")
    with pytest.raises(
        ValueError, match="the profile's table of finetuned with T = 20 was measured with (weights|sampler)"
    ) as refusal:
        prepare_environment(config, 2)
    command, file = re.findall(r"of these, (.*), and name it, env.profile=(.*)$", str(refusal.value))[0]
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "envs", "make_profile"]
    measured = composed("make_profile", *words[4:])
    assert measured.output == file
    assert {**measured.transceiver, "device": ""} == {**config.transceiver, "device": ""}


def test_weights_that_the_profile_was_measured_with_pass(tiny_folder: Path, tmp_path: Path) -> None:
    """Those of the tables that are read: another receiver's networks may be others."""
    measured_with(tiny_folder).save(tmp_path / "tiny.npz")
    places = [f"env.profile={tmp_path / 'tiny.npz'}", f"transceiver.path={tiny_folder}"]
    assert prepare_environment(composed("evaluate", *places), 2)[1].num_envs == 2


def test_images_of_other_weights_are_given_up_before_the_training(profile: QualityProfile) -> None:
    said = StringIO()
    agent: Any = None  # nothing is asked of it
    settings = SplitSettings(profile=profile)
    log = ImageLog(agent, settings, composed("train").transceiver, 4, Console(file=said, width=200))
    assert said.getvalue().startswith(
        "no delivered images: the profile's table of finetuned with T = 20 was measured with weights 'synthetic'"
    )
    log()
    assert said.getvalue().count("no delivered images") == 1
