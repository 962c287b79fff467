"""Seconds of a loaded model: which modules are timed, how often, and what they become."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from envs.costs import ReceiverStep
from envs.split_env import SplitEnv
from envs.transceiver import timed_costs
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.receivers import receiver_step
from envs.transceiver.transceiver import Transceiver


def test_every_module_is_timed_and_the_payloads_are_the_models(tiny: Transceiver) -> None:
    timed = timed_costs(tiny, "finetuned", repeats=2)
    assert min(timed.text_encoder_s, timed.step_s, timed.finetune_step_s, timed.vae_decoder_s) > 0
    assert (timed.payloads.latent, timed.payloads.image) == (8 * 8 * 4 * 8, 64 * 64 * 24)
    assert "cpu" in timed.machine


def test_the_figure_is_the_median_after_a_warm_up(tiny: Transceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    decode = tiny.decode
    monkeypatch.setattr(tiny, "decode", lambda latents: (decoded.append(len(latents)), decode(latents))[1])
    timed_costs(tiny, repeats=3)
    assert decoded == [1] * 5  # a warm-up, three timed, and one for the size of the image


def test_threads_are_left_as_they_were(tiny: Transceiver) -> None:
    assert timed_costs(tiny, repeats=1, threads=2).machine == "this machine's cpu on 2 threads"
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("receiver", "light", "guided"),
    [
        ("finetuned", False, False),
        ("finetuned_light", True, False),
        ("rematch", False, True),
        ("rematch_light", True, True),
        ("ignore", False, True),
    ],
)
def test_what_a_receiver_runs(tiny: Transceiver, receiver: str, light: bool, guided: bool) -> None:
    assert receiver_step(receiver) == ReceiverStep(light, guided)
    assert timed_costs(tiny, receiver, repeats=1).step == ReceiverStep(light, guided)


def test_an_environment_is_priced_with_them(tiny: Transceiver, profile: QualityProfile) -> None:
    timed = timed_costs(tiny, repeats=1)
    known = replace(timed, text_encoder_s=0.1, step_s=0.2, finetune_step_s=0.05, vae_decoder_s=0.3)
    env = SplitEnv(
        profile=profile, costs=known, scenario={"edge_availability": [1.0, 1.0], "density_factor": [1.0, 1.0]}
    )
    env.reset(seed=0)
    _, _, _, _, info = env.step(20)
    assert info["latency_parts_s"]["edge"] == pytest.approx(0.1 + 20 * 0.2)
    assert info["payload_bits"] == info["attempts"] * 2048


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeats": 0}, "repeats must be an integer >= 1, got 0"),
        ({"threads": 1.5}, "threads must be an integer >= 1, got 1.5"),
        ({"user_slowdown": 0.0}, "user_slowdown must be a finite number > 0, got 0.0"),
        ({"receiver": "magic"}, "unknown receiver 'magic'"),
    ],
)
def test_bad_settings_are_refused(tiny: Transceiver, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timed_costs(tiny, **settings)
