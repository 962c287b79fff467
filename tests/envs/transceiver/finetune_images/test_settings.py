"""Settings of a fine-tuning: what is refused, before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from envs.transceiver.finetune_images.settings import FinetuneSettings

from .conftest import keys_of


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": None}, "data is missing: give a folder of images"),
        ({"data": "absent"}, "no folder of images at absent"),
        ({"model": "owner/name"}, "no weights folder at owner/name for the model: .* hub:owner/name"),
        ({"init": "absent"}, "no weights folder at absent for init"),
        ({"part": "vae"}, "unknown part 'vae'; allowed: finetune_unet, unet"),
        ({"part": "unet"}, "part=unet needs target=noise"),
        ({"target": "magic"}, "unknown target 'magic'; allowed: guided, noise"),
        ({"steps": 0}, "steps must be an integer >= 1, got 0"),
        ({"batch_size": 1.5}, "batch_size must be an integer >= 1, got 1.5"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \[0, 1\), got 1.0"),
        (
            {"snr_db": [5.0, -5.0]},
            r"snr_db must be .* a range \(low, high\) with low <= high, got \[5.0, -5.0\]",
        ),
        ({"snr_db": None}, r"snr_db must be a finite number or a range \(low, high\) with low <= high, got None"),
        ({"mixed_precision": "fp8"}, "unknown mixed_precision 'fp8'; allowed: no, fp16, bf16"),
        ({"learning_rat": 1}, "unknown keys in the configuration: learning_rat; allowed: data"),
        ({"validation": {}}, "missing keys in validation: every"),
    ],
)
def test_refused(change: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        FinetuneSettings.from_config(keys_of(tmp_path, tmp_path, tmp_path) | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": []}, r"validation.prompts must be a list that is not empty, got \[\]"),
        ({"split": 5}, r"validation.split must be an integer in 0\.\.4, got 5"),
        ({"snr_db": float("nan")}, "validation.snr_db must be a finite number, got nan"),
        ({"every": -1}, "validation.every must be an integer >= 0, got -1"),
    ],
)
def test_validation_is_refused(change: dict, message: str, tmp_path: Path) -> None:
    keys = keys_of(tmp_path, tmp_path, tmp_path)
    with pytest.raises(ValueError, match=message):
        FinetuneSettings.from_config(keys | {"validation": keys["validation"] | change})


def test_how_long_a_run_lasts_is_free_and_how_it_learns_is_not(tmp_path: Path) -> None:
    keys = keys_of(tmp_path, tmp_path, tmp_path)
    one = FinetuneSettings.from_config(keys)
    assert one.kept == FinetuneSettings.from_config(keys | {"steps": 9, "output": "elsewhere"}).kept
    assert one.kept != FinetuneSettings.from_config(keys | {"batch_size": 3}).kept
