"""The worked examples of docs/extending.md, section by section from a folder of one's own: files, Python and shell."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from agents.runs.settings import configured_devices
from envs import SplitVectorEnv
from envs.command_line import CONFIGS, dispatch
from envs.costs import GTX_1080_TI, Counted, ReceiverStep
from envs.scenario import SCENARIOS, resolve_scenario
from envs.transceiver.profile.profile import QualityProfile

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
TINY = {
    "train": [
        *("total_requests=320", "num_envs=8", "checkpoint_every_requests=320", "agent.learning_starts=100"),
        *("evaluation.every_requests=320", "evaluation.map_every_requests=320", "evaluation.num_requests=80"),
        *("comparison.num_requests=80", "agent.policy_kwargs.net_arch=[8]", "delivered_images=0"),
        *("policies=[oracle,best_fixed]", "hydra.run.dir=run"),
    ],
    "evaluate": ["num_requests=80", "figures=false", "policies=[oracle,best_fixed]"],
    "make_profile": [
        *(f"measure.receivers.{name}=null" for name in ("rematch", "ignore", "finetuned_light")),
        *("measure.receivers.finetuned={num_inference_steps: [2], draws: 3, codecs: []}", "measure.codecs=null"),
        *("measure.requests={train: 1, test: 1}", "measure.snr_db=[0, 10]", "measure.first_snr_db=null", "workers=1"),
        "measure.num_inference_steps=2",
    ],
    "price_list": [],
}
"""What makes a command of the page small enough for a test."""


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def named(block: str) -> str | None:
    """The file that a block says it is."""
    first = re.match(r"# ([\w/]+\.(?:py|yaml))\n", block)
    return None if first is None else first[1]


def shell_lines(section: str) -> list[str]:
    return [line for block in blocks(section, "bash") for line in block.splitlines()]


LINES = [(section, line) for section in SECTIONS for line in shell_lines(section)]


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """A folder to work in, with the files that a section of the page names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    scenarios, modules = set(SCENARIOS), set(sys.modules)

    def write(section: str) -> Path:
        for block in (*blocks(section, "python"), *blocks(section, "yaml")):
            if name := named(block):
                (tmp_path / name).parent.mkdir(exist_ok=True)
                (tmp_path / name).write_text(block, encoding="utf-8")
        return tmp_path

    yield write
    for name in set(SCENARIOS) - scenarios:
        del SCENARIOS[name]
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def run(section: str) -> dict[str, Any]:
    """Execute the blocks of Python that are no files, in one module, and what it then holds."""
    module = ModuleType("example")
    for block in blocks(section, "python"):
        if named(block) is None:
            exec(compile(block, f"{PAGE.name}: {section}", "exec"), module.__dict__)
    return module.__dict__


def type_in(line: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    """Run a line as the shell splits it, in this process, and return its exit status."""
    python, flag, package, *arguments = shlex.split(line)
    assert (python, flag) == ("python", "-m")
    monkeypatch.setattr(sys, "argv", [package, *arguments, *TINY[arguments[0]], *more])
    try:
        dispatch(package)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize("section", [name for name in SECTIONS if blocks(name, "python")])
def test_every_example_runs(section: str, own_folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    own_folder(section)
    run(section)


@pytest.mark.parametrize(("section", "line"), [each for each in LINES if each[0] != "A channel"])
def test_every_line_for_the_shell_runs(
    section: str, line: str, own_folder: Any, profile_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder(section)
    assert type_in(line, monkeypatch, *([] if "price_list" in line else [f"env.profile={profile_file}"])) == 0


@pytest.mark.slow
def test_the_lines_of_the_channel_run_one_after_the_other(own_folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_folder("A channel")
    assert [type_in(line, monkeypatch) for line in shell_lines("A channel")] == [0, 0, 0]
    measured = QualityProfile.load(folder / "impulsive.npz").fingerprint
    assert measured["channel"] == "impulsive, share 0.05, factor 50.0"


def test_the_scenario_is_one_as_any_other(own_folder: Any, profile: QualityProfile) -> None:
    folder = own_folder("A scenario")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", ["scenario=tunnels", f"hydra.searchpath=[file://{folder}]"]).scenario
    values: Any = OmegaConf.to_container(config)
    params = resolve_scenario(values)
    assert params == import_module("tunnels").TunnelsParams()
    assert set(values) == {"name", *vars(params)}
    env = SplitVectorEnv(4_000, profile=profile, scenario=values)
    paper = SplitVectorEnv(4_000, profile=profile)
    env.reset(seed=1), paper.reset(seed=1)
    state, plain = env.core.state, paper.core.state
    inside = state.bandwidth_hz == params.tunnel_bandwidth_hz  # type: ignore[attr-defined]
    assert inside.mean() == pytest.approx(0.2, abs=5 * 0.4 / np.sqrt(4_000))
    np.testing.assert_array_equal(state.snr_db, plain.snr_db)
    np.testing.assert_array_equal(state.bandwidth_hz[~inside], plain.bandwidth_hz[~inside])
    with pytest.raises(ValueError, match="share"):
        resolve_scenario({**values, "tunnel_share": 1.0})


def test_the_channel_says_how_strong_its_error_is(own_folder: Any) -> None:
    own_folder("A channel")
    made = run("A channel")
    error = (made["received"].latents - made["latents"]).square().mean().item()
    assert error == pytest.approx(made["received"].noise_variance.mean(), rel=0.05)  # 131,072 elements, 2 % of them hit
    env = SplitVectorEnv(1, scenario={"snr_db": 3.0}, fidelity="live", channel="impulsive.py:Impulsive")
    assert env.core.quality._measure.transceiver.fingerprint["channel"] == made["Impulsive"]().fingerprint  # type: ignore[attr-defined]


def test_the_plan_is_priced_and_played(own_folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    own_folder("A plan")
    names = run("A plan")
    assert names["info"]["latency_s"] > 0
    played = names["env"].unwrapped.model.plan_names
    assert [name for name in played if "text" in name] == [f"text_at_the_user({split})" for split in range(1, 20)]
    assert re.search(r"text_at_the_user\(4\): \d+\.\d\d s, \d+ J, 131072 bits", capsys.readouterr().out)


def test_the_device_is_played_and_its_file_is_the_device(own_folder: Any) -> None:
    folder = own_folder("A device")
    names = run("A device")
    assert names["env"].unwrapped.model.costs.user.name == "tablet"
    edge, user, _ = configured_devices(OmegaConf.load(folder / "devices" / "tablet.yaml"))  # type: ignore[arg-type]
    assert user.step_s == pytest.approx(names["TABLET"].step_s, rel=1e-3)
    counted = Counted().devices(edge, user, ReceiverStep(light=False, guided=True))[1]
    for module in ("text_encoder", "vae_decoder"):
        assert user.module_s(module) == pytest.approx(counted.module_s(module), rel=5e-3)
    assert user.power_w < GTX_1080_TI.power_w
