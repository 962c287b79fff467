"""The tiny model of the transceiver's tests."""

from __future__ import annotations

from tests.envs.transceiver.conftest import tiny_folder

__all__ = ["tiny_folder"]
