from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from agents.runs.setup import check_transceiver


@pytest.mark.parametrize("path", [None, "hub:owner/name"])
def test_nothing_to_look_for_on_this_machine(path: str | None) -> None:
    check_transceiver(OmegaConf.create({"path": path, "guidance_scale": None, "device": "cpu"}))


def test_a_folder_that_is_there(tmp_path: Path) -> None:
    check_transceiver(OmegaConf.create({"path": str(tmp_path), "guidance_scale": None, "device": "cpu"}))


@pytest.mark.parametrize("config", [{"path": "missing", "guidance_scale": None, "device": "cpu"}, {"path": None}])
def test_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="transceiver"):
        check_transceiver(OmegaConf.create(config))
