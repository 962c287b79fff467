from __future__ import annotations

import numpy as np
import pytest
import torch as th
from hypothesis import given
from hypothesis import strategies as st

from agents.d2sac.diffusion_actor import (
    DiffusionActor,
    posterior_variances,
    reverse_mean,
    time_embedding,
    variance_preserving_betas,
)


@pytest.mark.parametrize("num_steps", [1, 5, 40])
def test_schedule_ends_at_the_same_noise_however_many_steps(num_steps: int) -> None:
    betas = variance_preserving_betas(num_steps, beta_min=0.1, beta_max=10.0)
    assert betas.shape == (num_steps,)
    assert bool((betas > 0).all() and (betas < 1).all() and (betas.diff() > 0).all())
    assert (1 - betas).prod().item() == pytest.approx(np.exp(-5.05))


def test_first_beta_by_hand() -> None:
    # 1 - exp(-0.1 / 5 - 9.9 / 50)
    assert variance_preserving_betas(5)[0].item() == pytest.approx(1 - np.exp(-0.218))


@given(st.integers(2, 8), st.floats(-2, 2), st.floats(-2, 2))
def test_reverse_step_is_the_gaussian_posterior(num_steps: int, start: float, noise: float) -> None:
    """x_{t-1} and x_t given x_0 are jointly Gaussian: conditioning one on the other gives mean and variance."""
    betas = variance_preserving_betas(num_steps).numpy()
    alpha_bars = np.cumprod(1 - betas)
    variances = posterior_variances(th.from_numpy(betas)).numpy()
    for t in range(1, num_steps):
        alpha, alpha_bar, before = 1 - betas[t], alpha_bars[t], alpha_bars[t - 1]
        x = np.sqrt(alpha_bar) * start + np.sqrt(1 - alpha_bar) * noise
        prior_mean, prior_variance = np.sqrt(before) * start, 1 - before
        covariance = np.sqrt(alpha) * prior_variance
        total = alpha * prior_variance + betas[t]
        gain = covariance / total
        expected_mean = prior_mean + gain * (x - np.sqrt(alpha) * prior_mean)
        mean = reverse_mean(th.tensor(x), th.tensor(noise, dtype=th.float64), betas[t], alpha_bar)
        assert mean.item() == pytest.approx(expected_mean, abs=1e-9)
        assert variances[t] == pytest.approx(prior_variance - gain * covariance)
    assert variances[0] == 0


def test_last_step_gives_back_the_clean_value() -> None:
    beta = variance_preserving_betas(4)[0].item()
    start, noise = th.tensor([0.7, -1.2]), th.tensor([0.3, 2.0])
    x = (1 - beta) ** 0.5 * start + beta**0.5 * noise
    assert reverse_mean(x, noise, beta, 1 - beta).tolist() == pytest.approx(start.tolist())


def test_time_embedding_tells_steps_apart() -> None:
    embedding = time_embedding(5)
    assert embedding.shape == (5, 16)
    assert embedding[0].tolist() == [0.0] * 8 + [1.0] * 8
    assert (th.cdist(embedding, embedding) + 10 * th.eye(5)).min() > 0.1


def test_chain_of_an_actor_that_sees_no_noise() -> None:
    """Noise predicted as 0: every step only divides by sqrt(alpha), and adds its own noise on the way."""
    actor = DiffusionActor(2, 3, num_denoising_steps=5, net_arch=[4])
    for parameter in actor.noise_net.parameters():
        parameter.data.zero_()
    betas = variance_preserving_betas(5)
    assert actor(th.ones(4, 2), deterministic=True).abs().max() == 0
    th.manual_seed(0)
    sample = actor(th.zeros(40_000, 2))
    variance = 1.0
    for beta, added in reversed(list(zip(betas, posterior_variances(betas), strict=True))):
        variance = variance / (1 - beta) + added
    # 120,000 independent values: the standard error of the variance is 0.4 %.
    assert sample.var().item() == pytest.approx(variance.item(), rel=0.02)
    assert sample.mean().item() == pytest.approx(0.0, abs=0.02 * variance.item() ** 0.5)


def test_noise_told_is_bounded_and_depends_on_step_and_state() -> None:
    th.manual_seed(1)
    actor = DiffusionActor(2, 3, num_denoising_steps=3, net_arch=[8])
    states = th.tensor([[0.0, 0.0], [1.0, 0.0]])
    logits = actor(states, deterministic=True)
    assert logits.shape == (2, 3)
    assert not th.equal(logits[0], logits[1])
    assert not th.equal(actor(states), actor(states))
    assert th.equal(actor(states, deterministic=True), logits)
    loud = actor.noise_net(1e6 * th.ones(1, 3 + 16 + 2))
    assert loud.abs().max() <= 1


def test_temperature_divides_the_logits() -> None:
    actors = []
    for temperature in (1.0, 4.0):
        th.manual_seed(0)
        actors.append(DiffusionActor(2, 3, 5, [8], temperature=temperature))
    states = th.ones(1, 2)
    cold, warm = (actor(states, deterministic=True) for actor in actors)
    assert th.allclose(warm, cold / 4)
    with pytest.raises(ValueError, match="temperature must be a finite number > 0, got 0"):
        DiffusionActor(2, 3, 5, [8], temperature=0)


def test_no_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="num_denoising_steps must be an integer >= 1, got 0"):
        variance_preserving_betas(0)
