"""`python -m agents advise`: what it prints and writes, what it refuses, and the lines of docs/advice.md."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from agents.commands.advise import GROUPS, AdviseSettings, environment, with_own_step
from agents.runs.settings import read_settings
from envs.command_line import CONFIGS
from envs.costs import GTX_1080_TI, Payloads, ReceiverStep, Timed
from tests.profiles import honest_profile

PAGE = Path(__file__).parents[3] / "docs" / "advice.md"
LINES = [
    line
    for block in re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for line in block.splitlines()
]
PAIRS = sorted(file.stem for file in (CONFIGS / "pair").glob("*.yaml"))
Command = Callable[..., int]


@pytest.fixture(scope="module")
def honest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "honest.npz"
    honest_profile(num_requests=4).save(path)
    return path


@pytest.fixture
def advise(command: Command, honest_file: Path, tmp_path: Path) -> Command:
    """The command on a small profile, into the test's folder."""

    def run(*arguments: str) -> int:
        own = [] if any(each.startswith("profile=") for each in arguments) else [f"profile={honest_file}"]
        return command("agents.commands.advise", *arguments, *own, f"hydra.run.dir={tmp_path / 'run'}", "num_states=64")

    return run


@pytest.mark.parametrize("line", LINES)
def test_every_line_of_the_page_runs(advise: Command, line: str) -> None:
    *start, command_name = shlex.split(line)[:4]
    assert (start, command_name) == (["python", "-m", "agents"], "advise")
    assert advise(*shlex.split(line)[4:]) == 0


def test_it_prints_a_rule_and_writes_picture_and_numbers(
    advise: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advise() == 0
    said = capsys.readouterr().out
    assert "Which plan to run\n  " in said
    assert "Should you split? " in said
    assert f"picture  {tmp_path / 'run' / 'advice.png'}" in said
    assert (tmp_path / "run" / "advice.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads((tmp_path / "run" / "advice.json").read_text())
    assert (told["edge"]["name"], told["user"]["name"]) == ("RTX A6000", "GTX 1080 Ti")
    assert told["best_fixed"] in told["plans"]


def test_json_is_printed_for_scripts(advise: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert advise("format=json", "edge_step_s=0.05", "user_step_s=2.5") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "run" / "advice.json").read_text())
    assert (told["edge"]["step_s"], told["user"]["step_s"]) == pytest.approx((0.05, 2.5))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["edge_step_s=-1"], "edge_step_s must be a finite number in (0, 100], got -1"),
        (["user_step_s=0"], "user_step_s must be a finite number in (0, 100], got 0"),
        (["user_step_s=fast"], "user_step_s must be a finite number, got 'fast'"),
        (["scenario.snr_db=[9,3]"], "snr_db must be a finite number or a range (low, high) with low <= high"),
        (["scenario.snr_db=[]"], "snr_db must be a finite number or a range"),
        (["scenario.edge_availability=[0,1]"], "edge_availability must be > 0"),
        (["scenario.latency_low_s=-3"], "latency_low_s must be > 0"),
        (["scenario=queue"], "scenario queue is not"),
        (["pair=three_laptops"], "4090_phone a6000_1080ti two_laptops"),
        (["codec=gif"], "unknown codec 'gif'"),
        (["codec=u4"], "codec u4 is not for images"),
        (["link=pigeon"], "unknown link 'pigeon'; allowed: paper, analog, digital"),
        (["acceptance=beauty"], "unknown acceptance 'beauty'; allowed: similarity, alignment"),
        (["format=xml"], "unknown format 'xml'; allowed: text, json"),
        (["max_leaves=0"], "max_leaves must be an integer >= 1, got 0"),
        (["cloud=maybe"], "cloud must be true or false, got 'maybe'"),
        (["edge_steps_s=1"], "'edge_steps_s'"),
        (["+edge_steps_s=1"], "unknown keys in configuration: edge_steps_s"),
        (["costs=measured", "edge_step_s=1"], "give one of both"),
        (["profile=missing.npz"], "no quality profile at missing.npz"),
    ],
)
def test_bad_input_is_one_line_before_any_work(
    advise: Command,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("agents.commands.advise.advise", lambda *_: pytest.fail("work was started"))
    assert advise(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "run").exists()


def test_seconds_can_be_those_of_this_machine(
    advise: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    timed = Timed("a machine", 0.01, 0.3, 0.1, 0.2, ReceiverStep(), Payloads(), user_slowdown=4.0)
    monkeypatch.setattr("agents.commands.advise.matching_transceiver", lambda *_: None)
    monkeypatch.setattr("agents.runs.setup.timed_costs", lambda transceiver, receiver, **timing: timed)
    assert advise("costs=measured", "format=json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["costs"], told["edge"]["step_s"], told["user"]["step_s"]) == ("measured", 0.3, 1.2)


@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_has_devices_that_are_advised_on(pair: str, honest_file: Path) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("advise", overrides=[f"pair={pair}", f"profile={honest_file}"])
        other = compose("advise", overrides=[f"pair={pair}", "devices.user.step_s=0.5", "scenario.snr_db=3"])
    settings = environment(config, read_settings(AdviseSettings, config, GROUPS))
    assert settings.edge_device.name == config.devices.edge.name
    assert settings.scenario.latency_low_s == tuple(config.scenario.latency_low_s)
    assert (other.devices.user.step_s, other.scenario.snr_db) == (0.5, 3)  # what is typed is stronger


def test_a_step_of_ones_own_says_what_else_takes_how_long() -> None:
    assert with_own_step(GTX_1080_TI, "mine", None) is GTX_1080_TI
    device = with_own_step(GTX_1080_TI, "mine", 0.5)
    assert device.step_s == pytest.approx(0.5)
    assert device.module_s("finetune_unet") == device.step_s
    assert device.text_encoder_s / device.step_s == pytest.approx(13.2985 / 803.273, rel=1e-4)
    assert device.vae_decoder_s / device.step_s == pytest.approx(2514.519 / (2 * 803.273), rel=1e-4)
