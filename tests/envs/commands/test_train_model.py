from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.transceiver.train_embedded.stages import ModelTraining


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("sedd=1", "'sedd'"),
        ("stages=[vae,magic]", "unknown stages ['magic']: choose from vae"),
        ("init=absent", "init must be null or the folder of an exported model, got 'absent'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_left(
    argument: str, said: str, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.train_model", argument, f"folder={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_whole_path_in_small(
    tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A model through all stages, a profile of it, and an agent that learns on both."""
    model, profile = tmp_path / "model" / "embedded", tmp_path / "model" / "profile.npz"
    assert command("envs.commands.train_model", "size=smoke", f"folder={tmp_path / 'model'}") == 0
    measure = shlex.split(capsys.readouterr().out.splitlines()[-1])
    assert measure == ["python", "-m", "envs", "make_profile", f"transceiver.path={model}", f"output={profile}"]
    assert command("envs.commands.make_profile", *measure[4:], "size=smoke", f"folder={tmp_path / 'parts'}") == 0
    places = [f"env.profile={profile}", f"transceiver.path={model}", f"hydra.run.dir={tmp_path / 'run'}"]
    assert command("train.py", "size=smoke", *places) == 0
    assert "no delivered images" not in capsys.readouterr().out
    assert (tmp_path / "run" / "policy.zip").is_file()


def test_the_stages_run_in_the_order_given(
    tmp_path: Path, command: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(ModelTraining, "run", lambda _, stage: told.append(stage))
    assert command("envs.commands.train_model", "stages=[light,export]", f"folder={tmp_path / 'run'}", "threads=1") == 0
    assert told == ["light", "export"]
