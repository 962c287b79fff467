"""What the three links cost: hand-computed cases, and comparison at equal channel uses and equal energy."""

from __future__ import annotations

import numpy as np
import pytest

from envs import plans
from envs.costs import (
    LINKS,
    CostTable,
    LinkState,
    Payloads,
    analog_channel_uses,
    channel_uses,
    coded_rate_bps,
    equal_energy_snr_db,
    price,
    sending_energy,
    shannon_rate_bps,
)
from envs.costs.latent_codecs import latent_bits_per_element

LATENT_BITS, IMAGE_BITS, ELEMENTS = 131_072, 6_291_456, 16_384


def link_s(plan: str, link: str, snr_db: float = 0.0, bandwidth_hz: float = 2e6) -> float:
    (chosen,) = plans.expand(plan)
    return price(chosen, snr_db=snr_db, bandwidth_hz=bandwidth_hz, link=link).latency_parts_s["link"]


def test_a_latent_at_0_db_over_2_mhz() -> None:
    assert link_s("semaigc(12)", "paper") == pytest.approx(LATENT_BITS / 2e6)  # log2(1 + 1) = 1 bit a symbol
    assert link_s("semaigc(12)", "digital") == pytest.approx(LATENT_BITS / coded_rate_bps(2e6, 0.0))
    assert link_s("semaigc(12)", "analog") == pytest.approx(8_192 / 2e6)  # two elements a symbol


@pytest.mark.parametrize("snr_db", [-20.0, 15.0])
def test_symbols_take_equally_long_at_every_snr(snr_db: float) -> None:
    assert link_s("semaigc(12)", "analog", snr_db) == pytest.approx(8_192 / 2e6)


def test_images_weights_and_coded_latents_are_bits_under_every_link() -> None:
    rates = {"paper": shannon_rate_bps(2e6, -3.0), "analog": coded_rate_bps(2e6, -3.0)}
    rates["digital"] = rates["analog"]
    latent_s = {"paper": LATENT_BITS / rates["paper"], "analog": 8_192 / 2e6, "digital": LATENT_BITS / rates["digital"]}
    coded_bits = ELEMENTS * latent_bits_per_element("u4", 12 / 20) + 32
    for link, rate_bps in rates.items():
        assert link_s("edge_aigc", link, -3.0) == pytest.approx(IMAGE_BITS / rate_bps)
        up_and_down_s = latent_s[link] + IMAGE_BITS / rate_bps
        assert link_s("euci_unet_sent(10)", link, -3.0) == pytest.approx(Payloads().unet / rate_bps + up_and_down_s)
        assert link_s("semaigc(12)_u4", link, -3.0) == pytest.approx(coded_bits / rate_bps, rel=1e-4)


def test_symbols_are_no_bits_and_the_backhaul_stays_what_it_is() -> None:
    chosen = plans.expand(["semaigc(12)", "edge_aigc", "euci_cache_miss(10)"])
    paper, analog = (CostTable.compile(chosen, link=link) for link in ("paper", "analog"))
    np.testing.assert_array_equal(paper.payload_bits - analog.payload_bits, [LATENT_BITS, 0, LATENT_BITS])
    state = LinkState(np.array([3.0]), np.array([np.inf]))  # without a wireless link the backhaul's seconds are left
    np.testing.assert_array_equal(paper.price(state).once_s.link, analog.price(state).once_s.link)
    assert paper.price(state).once_s.link[0, 2] > 0


def test_a_table_without_symbols_or_backhaul_is_as_small_as_ever() -> None:
    for link in LINKS:
        assert CostTable.compile(plans.expand("edge_aigc"), link=link).coefficients.shape[1] == 5


def test_channel_uses_are_the_seconds_on_the_link_times_the_bandwidth() -> None:
    for link, rate in (("paper", shannon_rate_bps), ("digital", coded_rate_bps)):
        assert link_s("semaigc(12)", link, 6.0) * 2e6 == pytest.approx(channel_uses(LATENT_BITS, 6.0, rate))
    assert link_s("semaigc(12)", "analog", 6.0) * 2e6 == pytest.approx(analog_channel_uses(ELEMENTS))


def test_equal_energy_spreads_over_the_uses() -> None:
    """16 times as many symbols at 0 dB have the energy of some at 12.04 dB."""
    many, few = channel_uses(LATENT_BITS, 0.0, shannon_rate_bps), analog_channel_uses(ELEMENTS)
    assert many == pytest.approx(16 * few)
    alike_db = equal_energy_snr_db(few, many, 0.0)
    assert alike_db == pytest.approx(12.0412, abs=1e-4)
    assert sending_energy(few, alike_db) == pytest.approx(sending_energy(many, 0.0)) == pytest.approx(LATENT_BITS)
