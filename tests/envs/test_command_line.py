from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from envs import command_line
from envs.command_line import CONFIGS

COMMANDS = sorted(file.stem for file in (Path(command_line.__file__).parent / "commands").glob("[!_]*.py"))


def test_a_message_of_many_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"), command_line.one_line_errors():
        raise ValueError("split must lie in 0..20,\n\tgot 21")
    assert capsys.readouterr().err == "error: split must lie in 0..20, got 21\n"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), command_line.one_line_errors():
        raise KeyError("bug")


def test_full_errors_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "_WANTS_TRACEBACK", True)
    with pytest.raises(ValueError, match="bad"), command_line.one_line_errors():
        raise ValueError("bad")


def test_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="130"), command_line.one_line_errors():
        raise command_line.Interrupted("go on with this")
    assert capsys.readouterr().err == "go on with this\n"


def test_the_environment_variable_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with command_line.one_line_errors():
        assert os.environ["HYDRA_FULL_ERROR"] == "1"
    assert "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize("filled", [False, True])
def test_an_empty_folder_is_removed(tmp_path: Path, filled: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if filled:
        (folder / "config.yaml").touch()
    with pytest.raises(SystemExit), command_line.one_line_errors(clean=folder):
        raise ValueError("bad")
    assert folder.exists() is filled


@pytest.mark.parametrize(
    "name",
    ["a b", "runs [1]/x", "a(b),c+d", "it's", '"', "12", "null", "${x}", "a\\b\\", "~x", "k=v", "é", "{a:b}", "$HOME"],
)
def test_a_printed_command_can_be_pasted(name: str) -> None:
    """Through a real shell and Hydra's own grammar."""
    line = command_line.command_line("python evaluate.py", [command_line.argument("env.profile", Path(name))])
    given = subprocess.run(["sh", "-c", line.replace("python evaluate.py", r"printf '%s\0'")], capture_output=True)
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("evaluate", given.stdout.decode().split("\0")[:-1])
    assert config.env.profile == name


def test_every_value_survives_the_command_line() -> None:
    values = {"layers": [1e-7, 8, None, True, "a, b"], "kind": {"name": "x y", "half": False}}
    read = OverridesParser.create().parse_override(command_line.argument("agent", values))
    assert read.value() == values


def test_paths_are_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_line.shown(tmp_path / "outputs" / "a") == Path("outputs/a")
    assert command_line.shown(tmp_path.parent) == tmp_path.parent
    assert command_line.shown(Path("outputs")) == Path("outputs")


def test_import_is_light() -> None:
    code = "import sys, envs.command_line; print([m for m in ('torch', 'diffusers', 'matplotlib') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_plain_resolves() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": "${.b}"}, "d": 2})
    assert command_line.plain(config, exclude=["d"]) == {"a": {"b": 1, "c": 1}}


def test_flatten_makes_one_level() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": [1, 2]}, "d": None, "e": True})
    assert command_line.flatten(config) == {"a.b": 1, "a.c": "[1, 2]", "d": "None", "e": True}


def dispatched(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["python -m envs", *arguments])
    monkeypatch.chdir(CONFIGS.parent)
    command_line.dispatch("envs", "\nand more")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_package_lists_its_commands_with_a_line_on_each(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dispatched(monkeypatch, *arguments)
    said = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in said.splitlines() if line.startswith("  ")]
    assert [name for name, _ in lines] == COMMANDS
    assert all(line[0].isupper() and "python -m" not in line for _, line in lines)
    assert said.endswith("and more\n")


def test_an_unknown_command_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        dispatched(monkeypatch, "make_coffee")
    assert capsys.readouterr().err == f"error: unknown command 'make_coffee'; allowed: {', '.join(COMMANDS)}\n"


def test_every_command_has_its_configuration() -> None:
    assert all((CONFIGS / f"{name}.yaml").is_file() for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_what_a_command_does_and_its_settings_and_starts_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_work(*_: object, **__: object) -> None:
        raise AssertionError("work was started")

    monkeypatch.setattr(command_line.hydra, "main", no_work)
    dispatched(monkeypatch, name, f"hydra.run.dir={tmp_path / 'run'}", "--help")
    said = capsys.readouterr().out
    assert f"`python -m envs {name}`" in said
    keys = [key for key in OmegaConf.load(CONFIGS / f"{name}.yaml") if key not in ("defaults", "hydra")]
    assert all(f"\n  {key}:" in said for key in keys)
    assert not (tmp_path / "run").exists()


def test_help_shows_the_settings_that_the_arguments_choose(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dispatched(monkeypatch, "make_profile", "transceiver=stable_diffusion", "workers=7", "--help")
    said = capsys.readouterr().out
    assert "transceiver=embedded|stable_diffusion" in said
    assert "guidance_scale: 7.5" in said
    assert "workers: 7" in said
    with pytest.raises(SystemExit, match="2"):
        dispatched(monkeypatch, "make_profile", "wrokers=7", "--help")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "wrokers" in error


def test_help_shows_the_variants_of_ones_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "calm.yaml").write_text("name: calm.py:Calm\nhush: 0.125\n", encoding="utf-8")
    dispatched(monkeypatch, "make_profile", "--config-dir", str(tmp_path), "channel=calm", "--help")
    said = capsys.readouterr().out
    assert "channel=awgn|bit_flip|calm|coded|rayleigh" in said
    assert "hush: 0.125" in said
    with pytest.raises(SystemExit, match="2"):
        dispatched(monkeypatch, "make_profile", "--config-dir", str(tmp_path / "nowhere"), "--help")
    assert capsys.readouterr().err.startswith("error: --config-dir must be a folder, got ")


def test_brackets_without_quotes_are_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        dispatched(monkeypatch, "make_profile", "measure.prompts=[semaigc(4)]")
    assert capsys.readouterr().err.endswith("""text with brackets needs quotes, "KEY=['semaigc(4)']" in a shell\n""")


def test_a_command_gets_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from envs.transceiver.model import published

    monkeypatch.setattr(published, "COUNTERS", {})
    dispatched(monkeypatch, "count_operations", f"output={tmp_path / 'none.json'}")
    assert capsys.readouterr().out == f"wrote {tmp_path / 'none.json'}\n"


def test_commands_are_light_until_they_work() -> None:
    modules = ", ".join(f"envs.commands.{name}" for name in COMMANDS)
    code = f"import sys, {modules}; print([m for m in ('torch', 'diffusers', 'matplotlib') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_a_listing_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text('"""Does one: `python -m x one`.\n\nAt length."""\nraise SystemExit')
    (tmp_path / "second.py").write_text("raise SystemExit")
    files = {name: tmp_path / f"{name}.py" for name in ("one", "second")}
    assert [line.rstrip() for line in command_line.listing(files).splitlines()] == ["  one     Does one", "  second"]
