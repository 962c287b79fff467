"""A profile and the evaluation with weights of Stable Diffusion's class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from agents.runs.setup import check_transceiver, matching_transceiver
from envs import SplitSettings
from envs.command_line import CONFIGS
from envs.fidelity import check_measured_with
from envs.model import SplitModel
from envs.transceiver import ModelOptions, load_transceiver
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.profile.table import TableKey

from ..stable_diffusion import MEASURED, choose
from .measured import measured_profile

LIGHT = TableKey("rematch_light", 2)


def params_of(overrides: list[str]) -> MeasureParams:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("make_profile", [*MEASURED, *overrides])
    parts = (OmegaConf.to_container(config[group], resolve=True) for group in ("measure", "transceiver"))
    return MeasureParams.from_config(*parts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def measured(stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    parts = tmp_path_factory.mktemp("parts")
    profile = measured_profile(params_of(choose(stable_diffusion_folder)), parts)
    file = parts / "sd.npz"
    profile.save(file)
    return profile, file


def test_the_profile_is_of_this_model_and_its_light_receiver(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path
) -> None:
    profile, _ = measured
    part = profile.part("test")
    assert part.receivers == ("rematch", "rematch_light")
    assert {request.prompt for request in part.requests} == {"a dog", "red apple"}
    live = load_transceiver(
        stable_diffusion_folder / "model",
        2,
        7.5,
        slicing=True,
        light_unet=str(stable_diffusion_folder / "light"),
        clip=str(stable_diffusion_folder / "clip"),
    )
    asked = part.requests[1]
    out = live.generate([asked.prompt], [asked.seed], 1, -6.0, "rematch_light")
    assert out.alignment is not None
    assert out.alignment.item() == pytest.approx(part.table(LIGHT).values[0, 1, 1, 0, 0], abs=1e-3)


def test_a_table_is_of_the_networks_that_its_receiver_ran(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path
) -> None:
    model, light, clip = (str(stable_diffusion_folder / name) for name in ("model", "light", "clip"))
    settings = SplitSettings(profile=measured[0], receiver="rematch", max_attempts=1)
    of_rematch, of_light = SplitModel(settings), SplitModel(replace(settings, receiver="rematch_light"))
    for given in (of_rematch, of_light):
        check_measured_with(given, model, ModelOptions(light_unet=light, clip=clip), 7.5)
    other = ModelOptions(light_unet=f"{model}/unet", clip=clip)
    check_measured_with(of_rematch, model, other, 7.5)
    with pytest.raises(ValueError, match="table of rematch_light with T = 2 was measured with weights"):
        check_measured_with(of_light, model, other, 7.5)
    with pytest.raises(ValueError, match="table of rematch with T = 2 was measured with weights"):
        check_measured_with(of_rematch, model, ModelOptions(light_unet=light), 7.5)


def test_the_evaluation_runs_live_on_it(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path, tmp_path: Path, command: Callable[..., int]
) -> None:
    arguments = [
        f"env.profile={measured[1]}",
        "env=live",
        "env.receiver=rematch_light",
        "env.acceptance={metric:alignment,least:0.01}",
        "env.max_attempts=1",
    ]
    sizes = ["num_requests=20", "num_envs=1", "bins=2", "figures=false", "policies=[oracle,edge]"]
    run = f"hydra.run.dir={tmp_path / 'run'}"
    assert command("evaluate.py", *choose(stable_diffusion_folder), *arguments, *sizes, run) == 0
    assert (tmp_path / "run" / "comparison.csv").is_file()


def test_the_configuration_loads_what_the_profile_was_measured_with(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path
) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("evaluate", choose(stable_diffusion_folder)).transceiver
    check_transceiver(config)
    model = SplitModel(SplitSettings(profile=measured[0], receiver="rematch", max_attempts=1))
    assert matching_transceiver(config, model, "awgn").components.light_unet is not None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["measure.prompts=[]"], "prompts is an empty list: give one or more, or null for captioned scenes"),
        (["measure.batch_size=0"], "batch_size must be an integer >= 1, got 0"),
        (["+transceiver.lora=x"], "unknown keys in the model's options: lora"),
        (["+transceiver.clip=absent"], "no weights folder at absent for clip"),
    ],
)
def test_bad_settings_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params_of(overrides)
