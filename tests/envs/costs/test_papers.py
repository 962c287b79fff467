"""Prices of each family of plans, against sums written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import costs, plans
from envs.costs import GTX_1080_TI, RTX_A6000, CostTable, LinkState, Payloads
from envs.plans import Compute, Plan, Transmit

EXACT = 1e-9
LINK: dict[str, Any] = {"snr_db": 0.0, "bandwidth_hz": 1e6}  # 1 Mbit/s
LATENT_S, IMAGE_S, SKETCH_S = 0.131072, 6.291456, 1.572864
EDGE_STEP, USER_STEP, TEXT, DECODE = 0.2, 0.368, 0.75, 1.196
ENCODE = DECODE * 1_116_658_466_816 / 2_514_518_933_504
SKETCH, COMPLETE = DECODE / 4, DECODE

# plan -> seconds at the edge, on the link, at the user; joules: 300 W at an edge server, 250 W at a user
HAND: dict[str, tuple[float, float, float, float]] = {}


def _by_hand(
    name: str, edge: float, link: float, user: float, edges: float = 1.0, users_busy: float | None = None
) -> None:
    HAND[name] = (edge, link, user, 300.0 * edge * edges + 250.0 * (user if users_busy is None else users_busy))


_by_hand("euci(8)", TEXT + 12 * EDGE_STEP + DECODE, LATENT_S + IMAGE_S, 8 * USER_STEP)
_by_hand("euci_unet_sent(8)", TEXT + 12 * EDGE_STEP + DECODE, LATENT_S + IMAGE_S + 859_520_964 * 16e-6, 8 * USER_STEP)
_by_hand(
    "euci_cache_miss(8)",
    TEXT + 12 * EDGE_STEP + DECODE,
    LATENT_S + IMAGE_S + 859_520_964 * 16e-6 + (123_060_480 + 859_520_964 + 83_653_863) * 16 / 125e6,
    8 * USER_STEP,
)
_by_hand("full_ue", 0, 0, TEXT + ENCODE + 20 * USER_STEP + DECODE)
_by_hand("full_es", TEXT + ENCODE + 20 * EDGE_STEP + DECODE, 2 * IMAGE_S, 0)
_by_hand("uieg", 20 * EDGE_STEP + DECODE, LATENT_S + IMAGE_S, TEXT + ENCODE)
_by_hand("eiug", TEXT + ENCODE + 20 * EDGE_STEP, IMAGE_S + LATENT_S, DECODE)
_by_hand("ciag", 20 * EDGE_STEP, 2 * LATENT_S, TEXT + ENCODE + DECODE)
_by_hand("esuc", TEXT + ENCODE + 20 * EDGE_STEP + SKETCH, IMAGE_S + SKETCH_S, COMPLETE)
_by_hand("uieg_text", 20 * EDGE_STEP + DECODE, IMAGE_S, TEXT)
_by_hand("ciag_text", 20 * EDGE_STEP, LATENT_S, TEXT + DECODE)
_by_hand("uidg(3)", 20 * EDGE_STEP + DECODE, LATENT_S + 3 * IMAGE_S, TEXT + ENCODE, edges=3)
_by_hand("diug(3)", TEXT + ENCODE + 20 * EDGE_STEP, IMAGE_S + 3 * LATENT_S, 3 * DECODE, edges=3)
_by_hand("dsuc(3)", TEXT + ENCODE + 20 * EDGE_STEP + SKETCH, IMAGE_S + 3 * SKETCH_S, COMPLETE, edges=3)
_by_hand("uidcg(3)", (20 * EDGE_STEP + DECODE) / 3, LATENT_S + IMAGE_S, TEXT + ENCODE, edges=3)
_by_hand("dcsuc(3)", TEXT + ENCODE + (20 * EDGE_STEP + SKETCH) / 3, IMAGE_S + SKETCH_S, COMPLETE, edges=3)
_by_hand(
    "edge_to_devices(5,4)",
    TEXT + 5 * EDGE_STEP,
    4 * LATENT_S,
    TEXT + 15 * USER_STEP + DECODE,
    users_busy=4 * (TEXT + 15 * USER_STEP + DECODE),
)
_by_hand(
    "cluster(5,4)",
    0,
    3 * LATENT_S,
    TEXT + 5 * USER_STEP + TEXT + 15 * USER_STEP + DECODE,
    users_busy=TEXT + 5 * USER_STEP + 3 * TEXT + 4 * (15 * USER_STEP + DECODE),
)
_by_hand(
    "device_to_device(5)",
    0,
    LATENT_S,
    TEXT + 5 * USER_STEP + TEXT + 15 * USER_STEP + DECODE,
    users_busy=TEXT + 5 * USER_STEP + TEXT + 2 * (15 * USER_STEP + DECODE),
)


@pytest.mark.parametrize("name", HAND)
def test_a_price_is_the_sum_by_hand(name: str) -> None:
    (plan,) = plans.expand(name)
    edge_s, link_s, user_s, energy_j = HAND[name]
    price = costs.price(plan, **LINK)
    parts = [price.latency_parts_s[part] for part in ("edge", "link", "user")]
    assert parts == pytest.approx([edge_s, link_s, user_s], rel=EXACT, abs=EXACT)
    assert price.latency_s == pytest.approx(edge_s + link_s + user_s, rel=EXACT)
    assert price.energy_j == pytest.approx(energy_j, rel=EXACT)


def test_every_named_plan_has_a_hand_computed_price_or_is_semaigcs() -> None:
    semaigc = {"semaigc", "edge_aigc", "local_aigc", "non_root", "non_finetuning", "esuc_text"}
    ours = {"local_light_aigc", "cloud_aigc"}  # test_opponents.py
    assert {name.split("(")[0] for name in HAND} | semaigc | ours == {*plans.SCHEMES, *plans.FAMILIES}


MEG_BYTES = {  # MEG, figure 6, with its units put right: 512 x 896 pixels
    "full_ue": (0, 0),
    "full_es": (1_376_256, 1_376_256),
    "uieg": (28_672, 1_376_256),
    "eiug": (1_376_256, 28_672),
    "ciag": (28_672, 28_672),
    "esuc": (1_376_256, 344_064),
}


@pytest.mark.parametrize(("name", "sent_bytes"), MEG_BYTES.items())
def test_megs_overhead(name: str, sent_bytes: tuple[int, int]) -> None:
    payloads = Payloads.of_images(512, 896)
    (plan,) = plans.expand(name)
    sent = costs.traffic(plan, payloads)
    assert (sent.uplink_bits // 8, sent.downlink_bits // 8) == sent_bytes
    assert (sent.sidelink_bits, sent.backhaul_bits) == (0, 0)
    assert costs.price(plan, **LINK, payload_bits=payloads).payload_bits == sent.wireless_bits == 8 * sum(sent_bytes)


def test_traffic_by_direction() -> None:
    cluster, miss = plans.expand(["cluster(5,4)", "euci_cache_miss(8)"])
    assert costs.traffic(cluster) == costs.Traffic(0, 0, 3 * 131_072, 0)
    assert costs.traffic(miss) == costs.Traffic(131_072, 859_520_964 * 16 + 6_291_456, 0, 1_066_235_307 * 16)


def test_payloads_follow_the_picture() -> None:
    assert Payloads.of_images(512, 512) == Payloads()
    counted = costs.counted_operations()
    assert Payloads().unet == 16 * counted["unet"].parameters
    assert Payloads().model == 16 * sum(counted[name].parameters for name in ("text_encoder", "unet", "vae_decoder"))
    for wrong in (0, 100, 512.0):
        with pytest.raises(ValueError, match="height must be a positive multiple of 8, got"):
            Payloads.of_images(wrong, 512)  # type: ignore[arg-type]


def test_weights_are_paid_once() -> None:
    (plan,) = plans.expand("euci_cache_miss(8)")
    one, three = (costs.price(plan, **LINK, attempts=attempts) for attempts in (1, 3))
    again_s = 12 * EDGE_STEP + DECODE + LATENT_S + IMAGE_S
    assert three.latency_s - one.latency_s == pytest.approx(2 * again_s, rel=EXACT)
    assert three.payload_bits - one.payload_bits == 2 * (131_072 + 6_291_456)


def test_the_backhaul_has_a_rate_of_its_own() -> None:
    (plan,) = plans.expand("euci_cache_miss(8)")
    slow, fast = (costs.price(plan, **LINK, backhaul_bps=rate) for rate in (125e6, 1e9))
    saved_s = 1_066_235_307 * 16 * (1 / 125e6 - 1 / 1e9)
    assert slow.latency_parts_s["link"] - fast.latency_parts_s["link"] == pytest.approx(saved_s, rel=EXACT)
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="backhaul_bps must be a finite number > 0, got"):
            costs.price(plan, **LINK, backhaul_bps=wrong)


def test_the_default_table_has_no_column_for_what_it_does_not_use() -> None:
    plain = CostTable.compile(plans.expand("semaigc"))
    assert plain.coefficients.shape == (2, 5, 21)
    assert plain.busy_coefficients is plain.coefficients
    everything = CostTable.compile(ALL)
    assert everything.coefficients.shape == (2, 7, len(ALL))
    with_cloud = CostTable.compile(plans.expand(["semaigc", "cloud_aigc"]))
    assert with_cloud.coefficients.shape == (2, 9, 22)
    with pytest.raises(ValueError, match="read-only"):
        everything.busy_coefficients[1, 0] = 1.0


ALL = plans.expand(["semaigc(12)", "edge_aigc", "local_aigc", *HAND])
STATES = st.builds(
    LinkState,
    snr_db=st.floats(-20.0, 30.0),
    bandwidth_hz=st.floats(1e5, 1e8),
    edge_availability=st.floats(0.05, 1.0),
    user_availability=st.floats(0.05, 1.0),
    density_factor=st.floats(0.5, 2.0),
)
TABLE = CostTable.compile(ALL)


@given(STATES, st.integers(1, 3))
def test_latency_is_the_sum_of_its_parts_and_everything_is_finite(state: LinkState, attempts: int) -> None:
    prices = TABLE.price(state)
    parts, latency_s, energy_j = prices.bill(attempts)
    np.testing.assert_allclose(latency_s, parts.edge + parts.link + parts.user, rtol=EXACT)
    once, repeat = (state.features(num_features=7).T @ coefficients for coefficients in TABLE.coefficients)
    np.testing.assert_allclose(latency_s, once + attempts * repeat, rtol=EXACT)
    totals = prices.totals()
    np.testing.assert_allclose(latency_s, totals.bill(attempts).latency_s, rtol=EXACT)
    np.testing.assert_allclose(energy_j, totals.bill(attempts).energy_j, rtol=EXACT)
    for part in (parts.edge, parts.link, parts.user, energy_j):
        assert np.isfinite(part).all()
        assert (part >= 0).all()
    assert (energy_j >= parts.edge * 300.0 + parts.user * 250.0 - 1e-6).all()


@given(STATES)
def test_more_bandwidth_or_compute_is_never_slower(state: LinkState) -> None:
    slow = TABLE.price(state).bill(2).latency_s
    better = {
        "snr_db": state.snr_db + 1.0,
        "bandwidth_hz": state.bandwidth_hz * 2.0,
        "edge_availability": (1.0 + state.edge_availability) / 2.0,
        "user_availability": (1.0 + state.user_availability) / 2.0,
        "density_factor": state.density_factor / 2.0,
    }
    for name, value in better.items():
        assert np.all(TABLE.price(state._replace(**{name: value})).bill(2).latency_s <= slow * (1 + 1e-15)), name


@given(st.sampled_from(ALL), st.floats(1.0, 10.0))
def test_a_faster_device_is_never_slower(plan: Plan, times: float) -> None:
    def faster(device: costs.Device) -> costs.Device:
        seconds = ("step_s", "text_encoder_s", "vae_decoder_s")
        return replace(device, **{name: getattr(device, name) / times for name in seconds})

    slow = costs.price(plan, **LINK).latency_s
    for changed in ({"edge": faster(RTX_A6000)}, {"user": faster(GTX_1080_TI)}):
        assert costs.price(plan, **LINK, **changed).latency_s <= slow  # type: ignore[arg-type]


@given(st.integers(1, 8))
def test_working_together_saves_seconds_and_no_joules(servers: int) -> None:
    alone, together = (costs.price(plans.uidcg(count), **LINK) for count in (1, servers))
    assert together.latency_parts_s["edge"] == pytest.approx(alone.latency_parts_s["edge"] / servers)
    assert together.energy_j == pytest.approx(alone.energy_j)


@given(STATES, st.integers(1, 20))
def test_eucis_energy_lies_between_its_two_ends(state: LinkState, split: int) -> None:
    """Eq. 2 is linear in the split, so the minimum that the paper reports cannot come out of it."""
    ends = CostTable.compile([plans.edge_aigc(), plans.euci(split), plans.local_aigc()]).price(state).bill().energy_j[0]
    text_moves = TEXT * max(300.0 / float(state.edge_availability), 250.0 / float(state.user_availability))
    decoding_moves = DECODE * max(300.0 / float(state.edge_availability), 250.0 / float(state.user_availability))
    slack = text_moves + decoding_moves  # once at the edge in a split, at the user in user-only
    assert min(ends[0], ends[2]) - slack <= ends[1] <= max(ends[0], ends[2]) + slack


def test_stages_of_one_kind_at_several_nodes_take_as_long_as_at_one() -> None:
    one, many = (
        Plan("any", (Compute("edge", "unet", 4, nodes), Transmit("edge", "user", "image"))) for nodes in (1, 5)
    )
    assert costs.price(one, **LINK).latency_s == costs.price(many, **LINK).latency_s
    assert costs.price(many, **LINK).energy_j == pytest.approx(5 * costs.price(one, **LINK).energy_j)
