"""What the files of a model say about it without any network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envs.transceiver import load_transceiver
from envs.transceiver.model.folders import check_judge, check_networks, transceiver_fingerprint
from envs.transceiver.model.options import ModelOptions


@pytest.mark.parametrize(("steps", "guidance_scale"), [(4, None), (20, 2.0)])
def test_the_fingerprint_is_that_of_the_loaded_transceiver(
    steps: int, guidance_scale: float | None, stable_diffusion_folder: Path, tiny_folder: Path
) -> None:
    clip = str(stable_diffusion_folder / "clip")
    for path, options in ((tiny_folder, {}), (stable_diffusion_folder / "model", {"clip": clip})):
        live = load_transceiver(path, steps, guidance_scale, **options)
        read = transceiver_fingerprint(path, ModelOptions(**options), steps, guidance_scale)
        assert read == {name: value for name, value in live.fingerprint.items() if name != "channel"}


def test_reading_it_imports_no_network() -> None:
    """Training on a profile starts at once."""
    code = (
        "import sys; from envs.transceiver.model.folders import model_fingerprint; model_fingerprint(None); "
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_missing_is_said(stable_diffusion_folder: Path) -> None:
    model, light = stable_diffusion_folder / "model", str(stable_diffusion_folder / "light")
    check_networks(model, ModelOptions(light_unet=light), ["unet", "light_unet"])
    with pytest.raises(ValueError, match="has no light_unet: choose another receiver, or name a folder"):
        check_networks(model, ModelOptions(), ["unet", "light_unet"])
    check_judge(None, ModelOptions())
    check_judge(model, ModelOptions(clip=str(stable_diffusion_folder / "clip")))
    with pytest.raises(ValueError, match="has no classifier, so alignment cannot be measured"):
        check_judge(model, ModelOptions())
    with pytest.raises(ValueError, match="holds a clip_text_model model"):
        check_judge(model, ModelOptions(clip=str(model / "text_encoder")))
    with pytest.raises(ValueError, match="has no readable config.json"):
        check_judge(model, ModelOptions(clip=str(model)))
