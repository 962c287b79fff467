"""The live quality of the environment, with tiny random parts."""

from __future__ import annotations

import numpy as np
import pytest

from envs import plans
from envs.fidelity import LiveSource, quality_source
from envs.model import SplitModel
from envs.settings import SplitSettings
from envs.transceiver.profile.live import LiveQuality
from envs.transceiver.profile.profile import QualityProfile, Request
from envs.transceiver.profile.table import PSNR_CAP_DB
from envs.transceiver.transceiver import Transceiver

REQUESTS = (Request("a red apple on a table", 3), Request("an orange cat on snow", 4))
PROMPTS, SEEDS = [r.prompt for r in REQUESTS], [r.seed for r in REQUESTS]


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


def test_live_quality_is_of_the_decoded_file(tiny: Transceiver) -> None:
    chosen = plans.expand(["edge_aigc_webp@4", "edge_aigc@4", "local_light_aigc@4"], 10)
    which, none = np.arange(3), np.zeros(3, dtype=int)
    values, images = LiveQuality(REQUESTS, chosen, "finetuned", tiny).measure(which, none, np.zeros(3), none)
    ask = {"prompts": PROMPTS[:1], "seeds": SEEDS[:1]}
    for row, plan in enumerate(chosen):
        out = tiny.execute(plan, **ask)  # type: ignore[arg-type]
        np.testing.assert_allclose(images[row], out.images[0].numpy(), atol=1e-6)
        assert out.alignment is not None
        assert values["alignment"][row] == pytest.approx(out.alignment.item(), abs=1e-5)
    assert values["psnr_db"][0] < values["psnr_db"][1] - 5
    assert values["ssim"][0] < 1.0 - 1e-4 < values["ssim"][1]
    assert values["ssim"][2] < 0.99


def test_a_transceiver_over_another_channel_is_refused(tiny: Transceiver, profile: QualityProfile) -> None:
    model = SplitModel(SplitSettings(profile=profile, channel="bit_flip", fidelity="live", transceiver=tiny))
    with pytest.raises(ValueError, match="sends over channel 'awgn', asked for is 'bit_flip, probability 0.01"):
        quality_source(model)


def test_live_generates_over_another_channel_than_the_profile(tiny: Transceiver, profile: QualityProfile) -> None:
    over_fading = Transceiver(tiny.components, 10, channel="rayleigh")
    settings = SplitSettings(profile=profile, channel="rayleigh", fidelity="live", transceiver=over_fading)
    assert isinstance(quality_source(SplitModel(settings)), LiveSource)


def test_over_a_digital_link_nothing_noisy_arrives(tiny: Transceiver, profile: QualityProfile) -> None:
    chosen = (plans.semaigc(split=6, num_inference_steps=10),)
    which, snr_db = np.array([0, 0]), np.array([-20.0, -20.0])
    values, _ = LiveQuality(REQUESTS, chosen, "rematch", tiny, is_noisy=False).measure(which, which, snr_db, which)
    noisy, _ = LiveQuality(REQUESTS, chosen, "rematch", tiny).measure(which, which, snr_db, which)
    clean = tiny.generate(PROMPTS[:1], SEEDS[:1], 6, None, "rematch")
    assert clean.alignment is not None
    assert values["alignment"][0] == pytest.approx(clean.alignment.item(), abs=1e-5)
    assert values["ssim"][0] == pytest.approx(1.0, abs=1e-3)
    assert noisy["ssim"][0] < 0.9
    # The environment hands it on, whatever noise its channel would have.
    settings = SplitSettings(profile=profile, channel="bit_flip", link="digital", fidelity="live", transceiver=tiny)
    source = quality_source(SplitModel(settings))
    assert isinstance(source, LiveSource)
    assert not source._measure._is_noisy  # type: ignore[attr-defined]


def test_the_profile_of_another_channel_serves_a_digital_link(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="measured over channel 'awgn'"):
        quality_source(SplitModel(SplitSettings(profile=profile, channel="rayleigh")))
    digital = SplitModel(SplitSettings(profile=profile, channel="rayleigh", link="digital"))
    assert quality_source(digital) is digital.quality
