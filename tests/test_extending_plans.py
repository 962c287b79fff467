"""The worked examples of `docs/extending.md` for a plan and a device: run, and looked at."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from agents.runs.settings import configured_devices
from envs.costs import GTX_1080_TI, Counted, ReceiverStep

DOCUMENT = (Path(__file__).parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """Code blocks of a language in the section under a heading."""
    (text,) = (part for part in re.split(r"^## ", DOCUMENT, flags=re.M) if part.startswith(f"{section}\n"))
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def run_section(section: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "example"}
    for block in blocks(section, "python"):
        exec(compile(block, f"docs/extending.md, {section}", "exec"), namespace)
    return namespace


def test_the_plan_is_priced_and_played(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_section("A plan")
    assert names["info"]["latency_s"] > 0
    assert names["env"].action_space.n == 21 + 19
    assert re.search(r"text_at_the_user\(4\): \d+\.\d\d s, \d+ J, 131072 bits", capsys.readouterr().out)


def test_the_device_is_played() -> None:
    names = run_section("A device")
    assert names["env"].unwrapped.model.costs.user.name == "tablet"


def test_the_file_of_the_device_is_the_device() -> None:
    (text,) = blocks("A device", "yaml")
    edge, user = configured_devices(OmegaConf.create(text))
    tablet = run_section("A device")["tablet"]
    assert user.step_s == pytest.approx(tablet.step_s, rel=1e-3)
    step = ReceiverStep(light=False, guided=True)
    counted = Counted().devices(edge, user, step)[1]
    for module in ("text_encoder", "vae_decoder"):
        assert user.module_s(module) == pytest.approx(counted.module_s(module), rel=5e-3)
    assert user.power_w < GTX_1080_TI.power_w
