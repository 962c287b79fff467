"""Executing plans, and the live quality of the environment, with tiny random parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs import plans
from envs.fidelity import quality_source
from envs.model import SplitModel, SplitSettings
from envs.transceiver.execute import execute
from envs.transceiver.profile.live import LiveQuality
from envs.transceiver.profile.profile import PSNR_CAP_DB, QualityProfile, Request
from envs.transceiver.transceiver import Transceiver

REQUESTS = (Request("a red apple on a table", 3), Request("an orange cat on snow", 4))
PROMPTS, SEEDS = [r.prompt for r in REQUESTS], [r.seed for r in REQUESTS]


def test_a_split_plan_is_generate(tiny: Transceiver) -> None:
    plan = plans.semaigc(split=6, num_inference_steps=10)
    got = execute(tiny, plan, PROMPTS, SEEDS, [0.0, 3.0], "rematch", [1, 2])
    expected = tiny.generate(PROMPTS, SEEDS, 6, [0.0, 3.0], "rematch", [1, 2])
    assert torch.equal(got.images, expected.images)


def test_euci_goes_on_with_the_generator_whatever_the_configured_receiver(tiny: Transceiver) -> None:
    got = execute(tiny, plans.euci(6, 10), PROMPTS, SEEDS, [0.0, 3.0], "finetuned", [1, 2])
    expected = tiny.generate(PROMPTS, SEEDS, 6, [0.0, 3.0], "rematch", [1, 2])
    assert torch.equal(got.images, expected.images)


def test_a_plan_that_it_cannot_run_is_refused_by_name(tiny: Transceiver) -> None:
    with pytest.raises(ValueError, match="plan ciag: its request is an image"):
        execute(tiny, plans.ciag(10), PROMPTS, SEEDS, [0.0, 0.0], "finetuned", [0, 0])


@pytest.mark.parametrize("plan", [plans.edge_aigc(10), plans.local_aigc(10), *plans.expand("uieg_text", 10)])
def test_a_whole_generator_delivers_the_noise_free_image(tiny: Transceiver, plan: plans.Plan) -> None:
    got = execute(tiny, plan, PROMPTS, SEEDS, [-20.0, -20.0], "finetuned", [1, 2])
    assert torch.equal(got.images, tiny.generate(PROMPTS, SEEDS, 10).images)


def test_a_plan_of_other_steps_is_refused(tiny: Transceiver) -> None:
    with pytest.raises(ValueError, match="takes 20 steps, the transceiver 10"):
        execute(tiny, plans.semaigc(split=6), PROMPTS, SEEDS, [0.0, 0.0], "rematch", [0, 0])


def test_live_quality_measures_each_request_under_its_own_plan(tiny: Transceiver) -> None:
    chosen = (plans.semaigc(split=6, num_inference_steps=10), plans.edge_aigc(10))
    live = LiveQuality(REQUESTS, chosen, "finetuned", tiny)
    values, images = live.measure(np.array([0, 1]), np.array([1, 0]), np.array([0.0, 0.0]), np.array([2, 2]))
    alone = tiny.generate(PROMPTS[1:], SEEDS[1:], 6, 0.0, "finetuned", [2])
    assert images.shape == (2, 3, 64, 64)
    assert alone.alignment is not None
    assert values["alignment"][0] == pytest.approx(alone.alignment.item(), abs=1e-5)
    assert values["psnr_db"][1] > PSNR_CAP_DB - 5
    assert values["ssim"][1] == pytest.approx(1.0, abs=1e-4)


def test_a_transceiver_over_another_channel_is_refused(tiny: Transceiver, profile: QualityProfile) -> None:
    model = SplitModel(SplitSettings(profile=profile, channel="bit_flip"))
    with pytest.raises(ValueError, match="sends over channel 'awgn', asked for is 'bit_flip, probability 0.01"):
        quality_source("live", model, tiny)


def test_live_generates_over_another_channel_than_the_profile(tiny: Transceiver, profile: QualityProfile) -> None:
    over_fading = Transceiver(tiny.components, 10, channel="rayleigh")
    model = SplitModel(SplitSettings(profile=profile, channel="rayleigh"))
    quality_source("live", model, over_fading)
