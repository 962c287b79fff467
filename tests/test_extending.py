"""The worked examples of docs/extending.md, run as they stand."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

import envs.scenario
from envs import SplitVectorEnv
from envs.scenario import SCENARIOS, resolve_scenario
from envs.transceiver.profile.profile import QualityProfile

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def run(section: str) -> dict[str, Any]:
    """Execute the section's blocks of Python in one module, and what it then holds."""
    module = ModuleType("extending_example")
    sys.modules[module.__name__] = module
    for block in blocks(section, "python"):
        exec(compile(block, f"{PAGE.name}: {section}", "exec"), module.__dict__)
    return module.__dict__


@pytest.fixture(autouse=True)
def clean_up() -> Iterator[None]:
    known = set(SCENARIOS)
    yield
    sys.modules.pop("extending_example", None)
    for name in set(SCENARIOS) - known:
        del SCENARIOS[name]


@pytest.mark.parametrize("section", [name for name in SECTIONS if blocks(name, "python")])
def test_every_example_runs(section: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(section)


def test_the_scenario_is_one_as_any_other(profile: QualityProfile) -> None:
    made = run("A scenario")
    (text,) = blocks("A scenario", "yaml")
    values: Any = OmegaConf.to_container(OmegaConf.create(text))
    params = resolve_scenario(values)
    assert params == made["TrainParams"]()
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
    assert envs.scenario.SCENARIOS is SCENARIOS


def test_the_channel_says_how_strong_its_error_is() -> None:
    made = run("A channel")
    error = (made["received"].latents - made["latents"]).square().mean().item()
    assert error == pytest.approx(made["received"].noise_variance.mean(), rel=0.05)  # 131,072 elements, 2 % of them hit
