"""The counted operations that are kept in the file: their published size, and what they are made of."""

from __future__ import annotations

import pytest

from envs.costs import LIGHT_MODELS, counted_operations


@pytest.mark.parametrize(
    ("name", "gflop", "million_parameters"),
    [
        ("unet", 803.3, 859.5),
        ("vae_decoder", 2514.5, 83.7),
        ("vae_encoder", 1116.7, 83.7),
        ("text_encoder", 13.3, 123.1),
    ],
)
def test_stable_diffusion_v1_5(name: str, gflop: float, million_parameters: float) -> None:
    operations = counted_operations()[name]
    assert operations.flops / 1e9 == pytest.approx(gflop, abs=0.05)
    assert operations.parameters / 1e6 == pytest.approx(million_parameters, abs=0.05)


@pytest.mark.parametrize(
    ("name", "million_parameters", "multiply_adds"),
    [("bk_sdm_base", 579.4, 223.8e9), ("bk_sdm_small", 482.3, 217.7e9), ("bk_sdm_tiny", 323.4, 205.0e9)],
)
def test_light_unets_against_their_paper(name: str, million_parameters: float, multiply_adds: float) -> None:
    """BK-SDM, table 1. Its count (338.7e9 for Stable Diffusion) leaves out the products of attention: ours is above."""
    counted = counted_operations()
    assert counted[name].parameters / 1e6 == pytest.approx(million_parameters, abs=0.05)
    assert 1.0 < counted[name].flops / (2 * multiply_adds) < 1.25
    assert counted[name].flops / counted["unet"].flops == pytest.approx(multiply_adds / 338.7e9, rel=0.02)


def test_every_light_model_is_counted() -> None:
    assert set(LIGHT_MODELS) < set(counted_operations())
