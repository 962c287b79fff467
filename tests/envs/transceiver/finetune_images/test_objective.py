"""The received latent lies on the diffusion process, with noise of unit variance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.transceiver.finetune_images.objective import Draws, MatchedLatents, NoiseAwareLoss, send_and_match
from envs.transceiver.transceiver import Transceiver

SHAPE = (4, 8, 8)
PICTURES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
CAPTIONS = ["a red apple", "a blue car"]


def streams(count: int, seed: int = 0) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(1000 * seed + index) for index in range(count)]


def met(
    tiny: Transceiver, snr_db: tuple[float, float] | None, seed: int = 0
) -> tuple[torch.Tensor, Draws, MatchedLatents]:
    clean = torch.randn(64, *SHAPE, generator=torch.Generator().manual_seed(seed))
    draws = Draws.from_generators(streams(64, seed), SHAPE, 1000, snr_db, 0.0)
    return clean, draws, send_and_match(clean, draws, tiny.schedule)


@given(snr_db=st.floats(-20, 20), seed=st.integers(0, 20))
@settings(max_examples=10, deadline=None)
def test_it_is_on_the_diffusion_process_at_the_matched_alpha_bar(tiny: Transceiver, snr_db: float, seed: int) -> None:
    clean, draws, got = met(tiny, (snr_db, snr_db), seed)
    alpha_bar = torch.from_numpy(got.alpha_bar).float()[:, None, None, None]
    again = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * got.noise
    assert torch.allclose(got.latents, again, atol=1e-4)
    inside = got.alpha_bar > tiny.schedule.alphas_cumprod[-1]
    assert np.allclose(tiny.schedule.alpha_bar(got.timestep)[inside], got.alpha_bar[inside], atol=1e-8)
    assert np.all(got.timestep >= draws.timestep.numpy() - 1e-9)


def test_the_noise_has_unit_variance(tiny: Transceiver) -> None:
    """16,384 elements: the standard error of the variance is 0.011, of the mean 0.008."""
    _, _, got = met(tiny, (-10.0, 10.0))
    assert abs(float(got.noise.var()) - 1) < 0.045
    assert abs(float(got.noise.mean())) < 0.032


def test_without_a_channel_it_is_the_diffusion_process(tiny: Transceiver) -> None:
    _, draws, got = met(tiny, None)
    assert np.array_equal(got.timestep, draws.timestep.numpy())
    assert torch.allclose(got.noise, draws.noise, atol=1e-6)
    assert np.isinf(draws.snr_db).all()


def test_links_cover_their_range_and_some_are_perfect() -> None:
    """400 draws: a share of 0.15 has a standard error of 0.018."""
    draws = Draws.from_generators(streams(400), (1, 1, 1), 1000, (-20.0, 20.0), 0.25)
    noisy = draws.snr_db[np.isfinite(draws.snr_db)]
    assert abs(1 - len(noisy) / 400 - 0.15) < 0.072
    assert -20 <= noisy.min() < -18
    assert 18 < noisy.max() <= 20
    assert abs(np.mean(draws.unsaid) - 0.25) < 0.09
    assert 0 <= draws.timestep.min() < 30
    assert 970 < draws.timestep.max() < 1000


def test_a_sample_does_not_depend_on_its_batch() -> None:
    together, alone = (
        Draws.from_generators(streams(3)[rows], SHAPE, 1000, (-20.0, 20.0), 0.1) for rows in (slice(3), slice(2, 3))
    )
    assert torch.equal(together.channel_noise[2:], alone.channel_noise)
    assert together.timestep[2] == alone.timestep[0]
    assert together.snr_db[2] == alone.snr_db[0]


def test_a_student_that_predicts_what_is_wanted_has_no_loss(tiny: Transceiver) -> None:
    """With guidance 1 the generator's guided prediction is its own."""
    unguided = Transceiver(tiny.components, 10, 1.0)
    loss = NoiseAwareLoss(unguided, "guided", (-20.0, 20.0), 0.0)
    assert loss(tiny.components.unet, PICTURES, CAPTIONS, streams(2)) == 0
    assert loss(tiny.components.finetune_unet, PICTURES, CAPTIONS, streams(2)) > 1e-3


@pytest.mark.parametrize("target", ["guided", "noise"])
def test_the_gradient_reaches_the_student_only(tiny: Transceiver, target: str) -> None:
    import copy

    student = copy.deepcopy(tiny.components.light_unet).requires_grad_(True)
    loss = NoiseAwareLoss(tiny, target, (-20.0, 20.0), 0.0)(student, PICTURES, CAPTIONS, streams(2))
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in student.parameters())
    assert all(p.grad is None for p in tiny.components.unet.parameters())


def test_a_velocity_network_is_judged_by_the_noise_that_it_stands_for(tiny: Transceiver) -> None:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler.from_config(tiny.components.scheduler.config, prediction_type="v_prediction")
    velocity = Transceiver(replace(tiny.components, scheduler=scheduler), 10, 1.0)
    loss = NoiseAwareLoss(velocity, "guided", (-20.0, 20.0), 0.0)
    assert loss(tiny.components.unet, PICTURES, CAPTIONS, streams(2)) == 0
