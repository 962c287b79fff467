"""The profile command and the evaluation with weights of Stable Diffusion's class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from agents.runs.setup import check_transceiver, matching_transceiver
from envs.command_line import CONFIGS
from envs.transceiver import load_transceiver
from envs.transceiver.profile.parallel import measure
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams

MEASURED = [
    "~measure.receivers.finetuned",
    "~measure.receivers.ignore",
    "measure.receivers.rematch=1",
    "+measure.receivers.rematch_light=1",
    "measure.num_requests=2",
    "measure.snr_db=[-6, 6]",
    "measure.num_inference_steps=2",
    "measure.prompts=[a dog, red apple]",
    "measure.batch_size=3",
]


def params_of(overrides: list[str]) -> MeasureParams:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("make_profile", [*MEASURED, *overrides])
    parts = (OmegaConf.to_container(config[group], resolve=True) for group in ("measure", "transceiver"))
    return MeasureParams.from_config(*parts)  # type: ignore[arg-type]


def choice(folder: Path) -> list[str]:
    return [
        "transceiver=stable_diffusion",
        f"transceiver.path={folder / 'model'}",
        f"transceiver.light_unet={folder / 'light'}",
        f"transceiver.clip={folder / 'clip'}",
        "transceiver.device=cpu",
    ]


@pytest.fixture(scope="module")
def measured(stable_diffusion_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[QualityProfile, Path]:
    parts = tmp_path_factory.mktemp("parts")
    profile = measure(params_of(choice(stable_diffusion_folder)), parts, workers=1, threads=1)
    file = parts / "sd.npz"
    profile.save(file)
    return profile, file


def test_the_profile_is_of_this_model_and_its_light_receiver(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path
) -> None:
    profile, _ = measured
    assert profile.receivers == ("rematch", "rematch_light")
    assert {request.prompt for request in profile.requests} == {"a dog", "red apple"}
    live = load_transceiver(
        stable_diffusion_folder / "model",
        2,
        7.5,
        slicing=True,
        light_unet=str(stable_diffusion_folder / "light"),
        clip=str(stable_diffusion_folder / "clip"),
    )
    profile.check_measured_with(live.fingerprint)
    asked = profile.requests[1]
    out = live.generate([asked.prompt], [asked.seed], 1, -6.0, "rematch_light")
    assert out.alignment is not None
    assert out.alignment.item() == pytest.approx(profile.values("rematch_light", "alignment")[1, 1, 0, 0], abs=1e-3)
    other_judge = load_transceiver(stable_diffusion_folder / "model", 2, 7.5)
    with pytest.raises(ValueError, match="measured with weights"):
        profile.check_measured_with(other_judge.fingerprint)


def test_the_evaluation_runs_live_on_it(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path, tmp_path: Path, command: Callable[..., int]
) -> None:
    arguments = [
        f"env.profile={measured[1]}",
        "env=live",
        "env.receiver=rematch_light",
        "env.quality_min=0.01",
        "env.max_attempts=1",
    ]
    sizes = ["num_requests=20", "num_envs=1", "bins=2", "figures=false", "policies=[oracle,edge]"]
    run = f"hydra.run.dir={tmp_path / 'run'}"
    assert command("evaluate.py", *choice(stable_diffusion_folder), *arguments, *sizes, run) == 0
    assert (tmp_path / "run" / "comparison.csv").is_file()


def test_the_configuration_loads_what_the_profile_was_measured_with(
    measured: tuple[QualityProfile, Path], stable_diffusion_folder: Path
) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("evaluate", choice(stable_diffusion_folder)).transceiver
    check_transceiver(config)
    assert matching_transceiver(config, measured[0], "awgn").components.light_unet is not None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["measure.prompts=[]"], "prompts is an empty list: give one or more, or null for captioned scenes"),
        (["measure.batch_size=0"], "batch_size must be 1 or more, got 0"),
        (["+transceiver.lora=x"], "unknown options of the model: lora"),
        (["+transceiver.clip=absent"], "no weights folder at absent for clip"),
    ],
)
def test_bad_settings_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params_of(overrides)


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
    stable_diffusion_folder: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"folder={tmp_path / 'parts'}"
    assert command("envs.commands.make_profile", *choice(stable_diffusion_folder), *MEASURED, folder) == 2
    assert "output names the shipped profile" in capsys.readouterr().err


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
    capfd: pytest.CaptureFixture[str],
) -> None:
    chosen = [override for override in choice(stable_diffusion_folder) if not override.startswith(left_out)]
    folder, output = f"folder={tmp_path / 'parts'}", f"output={tmp_path / 'sd.npz'}"
    assert command("envs.commands.make_profile", *chosen, *MEASURED, folder, output, "workers=1") == 2
    assert said in capfd.readouterr().err
    assert not (tmp_path / "sd.npz").exists()


def test_the_cost_command_prints_one_line(
    tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.profile_cost", f"folder={tmp_path / 'parts'}", "workers=1") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "3,125,760 UNet forwards and 219,072 decodings" in out
