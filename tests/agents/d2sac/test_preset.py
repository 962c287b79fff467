"""What differs from the paper's agent is declared."""

from __future__ import annotations

import inspect
from typing import Any

import yaml

from agents.d2sac import D2SAC
from envs.command_line import CONFIGS

BLOCK = CONFIGS.parent / "docs" / "blocks" / "deviations.md"


def preset(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CONFIGS / "agent" / f"{name}.yaml").read_text(encoding="utf-8"))
    return found | found.pop("policy_kwargs")


def test_every_setting_that_is_not_the_papers_is_declared() -> None:
    ours, papers = preset("d2sac"), preset("d2sac_paper")
    assert ours.keys() == papers.keys()
    differ = {name for name in ours if ours[name] != papers[name]}
    assert differ == {"learning_rate", "actor_lr_scale", "batch_size", "learning_starts", "tau", "temperature"}
    rows = [row for row in BLOCK.read_text(encoding="utf-8").splitlines() if "D2SAC" in row]
    assert not [name for name in differ if not any(name in row for row in rows)]


def test_the_papers_numbers_are_the_defaults_of_the_class() -> None:
    papers = preset("d2sac_paper")
    own = inspect.signature(D2SAC.__init__).parameters
    for name in ("learning_rate", "actor_lr_scale", "ent_coef"):
        assert own[name].default == papers[name]
