"""Commands, run in this process on the tiny models of the transceiver's tests."""

from __future__ import annotations

from tests.envs.transceiver.conftest import stable_diffusion_folder, tiny_folder
from tests.envs.transceiver.finetune_images.conftest import _fresh_accelerate, image_folder

__all__ = ["_fresh_accelerate", "image_folder", "stable_diffusion_folder", "tiny_folder"]
