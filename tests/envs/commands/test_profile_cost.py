from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_it_says_what_is_measured_and_what_that_costs(
    tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.profile_cost", f"folder={tmp_path / 'parts'}", "workers=1") == 0
    finetuned, *_, work, hours = capsys.readouterr().out.splitlines()
    assert finetuned == "finetuned: T 20/12/8/5, 96 train + 400 test requests, 3 channel draws"
    assert "about 7 of 20 SNRs a draw: 6,646,512 forwards" in work
    assert hours.startswith("266.3 GPU hours at 8.0 TFLOP/s (the paper's RTX A6000), ")


def test_a_day_of_the_paper_s_gpu_is_enough_for_stable_diffusion(
    tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The sizes of docs/own_weights.md; a fifth of what measuring every SNR at six draws costs."""
    sizes = [f"measure.receivers.{name}=null" for name in ("rematch", "ignore", "finetuned_light")]
    sizes += ["measure.receivers.finetuned.codecs=null"]
    sizes += ["measure.receivers.finetuned.num_inference_steps=[20,8]", "measure.requests={train: 32, test: 96}"]
    sizes += [f"folder={tmp_path / 'parts'}"]
    hours = []
    for axes in ([], ["measure.first_snr_db=null", "measure.receivers.finetuned.draws=6"]):
        assert command("envs.commands.profile_cost", *sizes, *axes) == 0
        hours.append(float(capsys.readouterr().out.splitlines()[-1].split()[0]))
    assert hours[0] < 25.0
    assert hours[0] < hours[1] / 5
