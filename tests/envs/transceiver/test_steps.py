"""The reverse steps against diffusers, against each other and against a Monte Carlo of the forward process."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.transceiver import steps
from envs.transceiver.steps import PREDICTIONS, to_noise

from .conftest import SCHEDULER


def test_without_channel_noise_the_step_is_diffusers_ddim() -> None:
    scheduler = DDIMScheduler(**SCHEDULER)
    scheduler.set_timesteps(20)
    generator = torch.Generator().manual_seed(0)
    z, eps = (torch.randn(2, 4, 8, 8, generator=generator) for _ in range(2))
    bars = scheduler.alphas_cumprod
    for t in scheduler.timesteps:
        after = bars[t - 50] if t >= 50 else scheduler.final_alpha_cumprod
        ours = steps.ddim_step(z, eps, bars[t], after)
        assert torch.allclose(ours, scheduler.step(eps, t, z).prev_sample, atol=1e-5)


def test_without_channel_noise_the_posterior_is_ddpms() -> None:
    alpha_bar, before = torch.tensor(0.3, dtype=torch.float64), torch.tensor(0.4, dtype=torch.float64)
    alpha = alpha_bar / before
    z, eps = torch.tensor(0.7, dtype=torch.float64), torch.tensor(-0.2, dtype=torch.float64)
    mean = (z - (1 - alpha) / (1 - alpha_bar).sqrt() * eps) / alpha.sqrt()
    std = ((1 - before) / (1 - alpha_bar) * (1 - alpha)).sqrt()
    got = steps.posterior_step(z, eps, torch.zeros(()), alpha_bar, before, 1 - alpha_bar, 1 - before)
    assert torch.isclose(got, mean)
    assert torch.isclose(steps.posterior_std(alpha_bar, before, 1 - alpha_bar, 1 - before), std)


@pytest.mark.parametrize("timestep", [101, 501, 951])
@pytest.mark.parametrize("snr_db", [15.0, 0.0, -6.0])
def test_the_posterior_matches_a_monte_carlo_of_the_forward_process(timestep: int, snr_db: float) -> None:
    """Regress z_{t-1} on z_t given z_0, on the shipped schedule: mean within 0.5 %, variance within 2 %.

    The mean is compared two standard deviations of z_t away on either side. At a million draws its standard error is
    0.15 % at most, that of the variance 0.14 %.
    """
    generator = torch.Generator().manual_seed(4)
    count, z0 = 1_000_000, 0.8
    bars = DDIMScheduler(**SCHEDULER).alphas_cumprod.double()
    bar, before = bars[timestep], bars[timestep - 50]
    alpha, share = bar / before, 10 ** (-snr_db / 10) / (1 - bar)
    variance, variance_before = share * (1 - bar), share * (1 - before)
    v, v_before = 1 - bar + variance, 1 - before + variance_before
    g = variance - alpha * variance_before
    previous = before.sqrt() * z0 + v_before.sqrt() * torch.randn(count, generator=generator, dtype=torch.float64)
    fresh = torch.randn(count, generator=generator, dtype=torch.float64)
    z = alpha.sqrt() * previous + (1 - alpha + g).sqrt() * fresh

    slope = torch.cov(torch.stack([z, previous]))[0, 1] / z.var()
    for away in (-2.0, 2.0):
        point = z.mean() + away * z.std()
        eps = (point - bar.sqrt() * z0) / v.sqrt()
        mean = steps.posterior_step(point, eps, torch.zeros(()), bar, before, v, v_before)
        assert mean.item() == pytest.approx((previous.mean() + slope * (point - z.mean())).item(), rel=0.005)
    residual = previous - previous.mean() - slope * (z - z.mean())
    assert steps.posterior_std(bar, before, v, v_before).item() ** 2 == pytest.approx(residual.var().item(), rel=0.02)


@pytest.mark.parametrize(("snr_db", "ratio"), [(15, 0.94), (6, 0.61), (0, -0.11), (-6, -1.44)])
def test_the_printed_coefficient_is_wrong_by_the_known_ratio(snr_db: float, ratio: float) -> None:
    """Printed over right C at t = 501 for latents of unit power: at and below 0 dB it adds noise."""
    scheduler = DDIMScheduler(**SCHEDULER)
    bar = scheduler.alphas_cumprod[501].double()
    before = scheduler.alphas_cumprod[451].double()
    variance = torch.tensor(10 ** (-snr_db / 10), dtype=torch.float64)
    before_variance = variance * (1 - before) / (1 - bar)
    v, v_before = 1 - bar + variance, 1 - before + before_variance
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    printed = steps.printed_step(zero, one, bar, before, variance, before_variance)
    right = steps.posterior_step(zero, one, zero, bar, before, v, v_before)
    assert (printed / right).item() == pytest.approx(ratio, abs=0.03)


def test_guidance_one_is_the_conditional_prediction() -> None:
    a, b = torch.tensor([1.0]), torch.tensor([3.0])
    assert steps.guided(a, b, 1.0) == b
    assert steps.guided(a, b, 2.0) == 5.0


@settings(deadline=None)
@given(alpha_bar=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_velocity_and_clean_latent_give_the_noise_back(alpha_bar: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=generator, dtype=torch.float64)
    a = torch.tensor(alpha_bar, dtype=torch.float64)
    z = a.sqrt() * clean + (1 - a).sqrt() * noise
    outputs = {"epsilon": noise, "v_prediction": a.sqrt() * noise - (1 - a).sqrt() * clean, "sample": clean}
    for name in PREDICTIONS:
        assert torch.allclose(to_noise(name, outputs[name], z, a), noise, atol=1e-10)


def test_others_are_refused() -> None:
    with pytest.raises(ValueError, match="must be one of epsilon, v_prediction, sample, got 'flow'"):
        to_noise("flow", *torch.ones(3, 1, 1, 1, 1))
