"""What several tests share."""

from __future__ import annotations

import logging
import runpy
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import synthetic_profile

settings.register_profile("any_machine", deadline=None)  # speed is never asserted, and machines may be busy
settings.load_profile("any_machine")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def profile() -> QualityProfile:
    """A made-up quality profile: 8 requests, 20 steps, 6 draws of the receiver `finetuned`."""
    return synthetic_profile()


@pytest.fixture(scope="session")
def profile_file(tmp_path_factory: pytest.TempPathFactory, profile: QualityProfile) -> Path:
    path = tmp_path_factory.mktemp("profile") / "synthetic.npz"
    profile.save(path)
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Run a script, or a module with `main`, in this process (imports are paid once) and return its exit status."""
    handlers = logging.getLogger().handlers[:]

    def run(script: str, *arguments: object) -> int:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        try:
            if script.endswith(".py"):
                runpy.run_path(str(ROOT / script), run_name="__main__")
            else:
                import_module(script).main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    yield run
    logging.getLogger().handlers[:] = handlers  # Hydra's write to the captured output of this test
