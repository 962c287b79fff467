"""Every prediction type stands for the same noise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.transceiver.steps import PREDICTIONS, to_noise


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
