"""The coded link against closed forms and published thresholds; skipped where Sionna is not installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import erfc
from scipy.stats import binom

from envs.channels import make_channel
from envs.channels.mcs import BLOCK_BITS, MAX_TRANSMISSIONS, Modulation, pick, schemes, spectral_efficiency

from .streams import some_latents, streams

needs_sionna = pytest.mark.skipif(find_spec("sionna") is None, reason="the extra phy is not installed")
LATENTS = some_latents(2, 4, 8, 8)


def half_a_cell(latents: torch.Tensor) -> torch.Tensor:
    """Largest error of an 8-bit quantiser over the range of each latent."""
    return latents.abs().amax(dim=(1, 2, 3)) / 256 * 1.001


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sionna", "sionna.phy.fec.crc"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=r"channel coded needs Sionna.*install the extra phy, pip install '\.\[phy\]'"):
        make_channel("coded")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_bits": 0}, "num_bits of channel coded"),
        ({"fading": "rician"}, "unknown fading of channel coded 'rician'; allowed: none, rayleigh"),
    ],
)
def test_bad_parameters_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_channel({"name": "coded", **change})


def gray_qam_ber(bits_per_symbol: int, es_over_n0: float) -> float:
    """Exact bit error rate of square QAM with Gray labels (Cho and Yoon, IEEE Trans. Commun. 50(7), 2002, eq. 14)."""
    levels, label = 2 ** (bits_per_symbol // 2), bits_per_symbol // 2
    scale = np.sqrt(3 * es_over_n0 / (2 * (levels**2 - 1)))
    total = 0.0
    for k in range(1, label + 1):
        for i in range(int((1 - 2.0**-k) * levels)):
            turn = i * 2 ** (k - 1) / levels
            weight = (-1) ** int(turn) * (2 ** (k - 1) - int(turn + 0.5))
            total += weight * erfc((2 * i + 1) * scale) / levels
    return total / label


@needs_sionna
@pytest.mark.parametrize(("bits_per_symbol", "middle_db"), [(2, 4.0), (4, 10.0), (6, 16.0)])
def test_uncoded_qam_has_the_bit_error_rate_of_the_closed_form(bits_per_symbol: int, middle_db: float) -> None:
    """Within the 95 % interval of 120,000 independent bits at five SNRs."""
    from envs.channels.block_code import block_code

    code, generator = block_code(BLOCK_BITS, Modulation(bits_per_symbol, 512)), torch.Generator().manual_seed(3)
    blocks = 120_000 // code.coded_bits + 1
    for snr_db in middle_db + np.arange(-4, 5, 2):
        n0 = 10 ** (-snr_db / 10)
        bits = torch.randint(0, 2, (blocks, code.coded_bits), generator=generator).float()
        noise = torch.randn(blocks, code.num_symbols, dtype=torch.complex64, generator=generator)
        soft_bits = code.soft_bits(code.modulate(bits) + n0**0.5 * noise, torch.full((blocks,), n0))
        wrong = int(((soft_bits > 0) != bits.bool()).sum())
        low, high = binom.interval(0.95, bits.numel(), gray_qam_ber(bits_per_symbol, 1 / n0))
        assert low <= wrong <= high, (snr_db, low, wrong, high)


@needs_sionna
@pytest.mark.parametrize("snr_db", [-6.0, 25.0])
def test_a_latent_arrives_with_quantisation_error_only(snr_db: float) -> None:
    received, variance, channel_uses = make_channel("coded").send(LATENTS, snr_db, streams(2))[:3]
    assert torch.all((received - LATENTS).abs().amax(dim=(1, 2, 3)) <= half_a_cell(LATENTS))
    step = 2 * LATENTS.abs().amax(dim=(1, 2, 3)).double().numpy() / 256
    assert variance == pytest.approx(step**2 / 12)
    assert np.all(channel_uses >= 2 * BLOCK_BITS / pick(snr_db).bits_per_use * 0.999)


@needs_sionna
def test_what_never_arrives_is_lost_and_the_receiver_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = schemes()[-1]
    monkeypatch.setattr("envs.channels.coded.pick", lambda snr_db: fast)
    received, variance, channel_uses = make_channel("coded").send(LATENTS, -10.0, streams(2))[:3]
    assert not received.any()
    assert channel_uses == pytest.approx(MAX_TRANSMISSIONS * 2 * BLOCK_BITS / fast.bits_per_use)
    assert variance == pytest.approx(LATENTS.double().square().mean(dim=(1, 2, 3)).numpy())


@needs_sionna
def test_the_link_takes_as_long_as_its_price_says() -> None:
    """48 blocks where one in ten or so is sent twice: a standard error of 5 %."""
    snr_db = next(level for level in np.arange(3.0, 9.0, 0.05) if 0.05 < pick(level).failure(level) < 0.15)
    latents = some_latents(24, 4, 8, 8)
    channel_uses = make_channel("coded").send(latents, snr_db, streams(24)).channel_uses
    assert 2 * BLOCK_BITS * 24 / channel_uses.sum() == pytest.approx(float(spectral_efficiency(snr_db)), rel=0.15)


@needs_sionna
def test_fading_costs_retransmissions() -> None:
    still, fading = (
        make_channel({"name": "coded", "fading": fading}).send(some_latents(6, 4, 8, 8), 12.0, streams(6))
        for fading in ("none", "rayleigh")
    )
    assert fading.channel_uses.sum() > 1.2 * still.channel_uses.sum()
    assert np.median(fading.noise_variance) == pytest.approx(np.median(still.noise_variance))


@needs_sionna
def test_the_generators_alone_decide_and_the_global_one_is_left_alone() -> None:
    before, channel = torch.get_rng_state(), make_channel({"name": "coded", "fading": "rayleigh"})
    once, again, other = (channel.send(LATENTS, -3.0, streams(2, seed)) for seed in (1, 1, 2))
    alone = channel.send(LATENTS[1:], -3.0, streams(2)[1:])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(once.latents, again.latents)
    assert torch.equal(once.latents[1:], alone.latents)
    assert list(once.channel_uses) == list(again.channel_uses)
    assert once.channel_uses[1] == alone.channel_uses[0]
    assert list(once.channel_uses) != list(other.channel_uses)


@needs_sionna
@pytest.mark.slow
def test_importing_the_library_leaves_the_global_generator_as_it_was() -> None:
    code = (
        "import torch; torch.manual_seed(7); before = torch.get_rng_state();"
        "from envs.channels import make_channel; make_channel('coded');"
        "print(torch.equal(before, torch.get_rng_state()))"
    )
    root = Path(__file__).parents[3]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "True"
