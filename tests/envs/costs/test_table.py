from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.costs import GTX_1080_TI, RTX_A6000, CostTable, LinkState, shannon_rate_bps
from envs.costs.payloads import Payloads
from envs.plans import Plan, Transmit

from .equations import amdahl_s, transmission_s

ALL_PLANS = plans.expand(["semaigc", "edge_aigc", "local_aigc"])
TABLE = CostTable.compile(ALL_PLANS)
STATES = st.builds(
    LinkState,
    snr_db=st.floats(-20.0, 30.0),
    bandwidth_hz=st.floats(1e5, 1e8),
    edge_availability=st.floats(0.05, 1.0),
    user_availability=st.floats(0.05, 1.0),
    density_factor=st.floats(0.5, 2.0),
)


def stage_by_stage_s(plan: Plan, state: LinkState, attempts: int) -> dict[str, float]:
    """Oracle: SemAIGC's eqs. 19 and 20 for each stage by itself, written out from the description of the scheme."""
    parts = {"edge": 0.0, "link": 0.0, "user": 0.0}
    for stage in plan.stages:
        if isinstance(stage, Transmit):
            bits = {"latent": 64 * 64 * 4 * 8, "image": 512 * 512 * 24}[stage.payload]
            rate_bps = shannon_rate_bps(state.bandwidth_hz, state.snr_db)
            parts["link"] += attempts * float(transmission_s(bits, rate_bps))
            continue
        device, availability, part = {
            "edge": (RTX_A6000, state.edge_availability, "edge"),
            "user": (GTX_1080_TI, state.user_availability, "user"),
        }[stage.node]
        times = attempts if stage.node == "user" and stage.module != "text_encoder" else 1
        if "unet" in stage.module:
            step_s = amdahl_s(
                state.density_factor * device.density_cycles_per_bit,
                64 * 64 * 4 * 8,
                device.clock_hz * availability,
                device.cores,
                device.parallel_fraction,
            )
            parts[part] += times * stage.steps * float(step_s)
        else:
            parts[part] += times * {"text_encoder": 0.75, "vae_decoder": 1.196}[stage.module] / float(availability)
    return parts


@given(STATES, st.sampled_from(range(len(ALL_PLANS))), st.integers(1, 3))
def test_the_table_is_the_sum_over_the_stages(state: LinkState, row: int, attempts: int) -> None:
    expected = stage_by_stage_s(ALL_PLANS[row], state, attempts)
    prices = TABLE.price(state, np.array([row]))
    parts, latency_s, energy = prices.bill(attempts)
    assert [parts.edge.item(), parts.link.item(), parts.user.item()] == pytest.approx(list(expected.values()))
    assert latency_s.item() == pytest.approx(sum(expected.values()))
    energy_j = 300.0 * expected["edge"] + 250.0 * expected["user"]
    assert energy.item() == pytest.approx(energy_j)
    totals = prices.totals()
    assert totals.once_j.item() + attempts * totals.repeat_j.item() == pytest.approx(energy_j)


def random_states(size: int) -> LinkState:
    rng = np.random.default_rng(0)
    return LinkState(
        rng.uniform(-6, 15, size),
        rng.uniform(3e5, 2e7, size),
        rng.uniform(0.1, 1, size),
        rng.uniform(0.5, 1, size),
        rng.uniform(0.75, 1.25, size),
    )


def test_one_plan_and_all_plans_agree() -> None:
    states, size = random_states(64), 64
    action = np.random.default_rng(1).integers(0, len(ALL_PLANS), size)
    attempts = np.random.default_rng(2).integers(1, 4, size)
    everything, one = TABLE.price(states), TABLE.price(states, action)
    all_bills, bills = everything.bill(attempts[:, None]), one.bill(attempts)
    assert bills.latency_s.shape == (size,)
    assert all_bills.latency_s.shape == (size, len(ALL_PLANS))
    rows = np.arange(size)
    np.testing.assert_array_equal(all_bills.latency_s[rows, action], bills.latency_s)
    np.testing.assert_array_equal(all_bills.energy_j[rows, action], bills.energy_j)
    once, repeat = (states.features().T @ coefficients for coefficients in TABLE.coefficients)
    totals = everything.totals()
    np.testing.assert_allclose(once, totals.once_s, rtol=1e-13)
    np.testing.assert_allclose(repeat, totals.repeat_s, rtol=1e-13)


def test_a_price_does_not_depend_on_its_neighbours() -> None:
    states = random_states(33)
    together = TABLE.price(states).bill(2).latency_s
    for index in range(33):
        alone = LinkState(*(getattr(states, name)[index : index + 1] for name in LinkState._fields))
        np.testing.assert_array_equal(TABLE.price(alone).bill(2).latency_s[0], together[index])


@given(STATES)
def test_more_of_anything_is_no_slower(state: LinkState) -> None:
    slow = TABLE.price(state).bill(2).latency_s
    better = {
        "snr_db": state.snr_db + 1.0,
        "bandwidth_hz": state.bandwidth_hz * 2.0,
        "edge_availability": (1.0 + state.edge_availability) / 2.0,
        "user_availability": (1.0 + state.user_availability) / 2.0,
        "density_factor": state.density_factor / 2.0,
    }
    for name, value in better.items():
        assert np.all(TABLE.price(state._replace(**{name: value})).bill(2).latency_s <= slow), name


@given(STATES)
def test_latency_is_linear_in_the_split_while_both_ends_work(state: LinkState) -> None:
    latency_s = TABLE.price(state).bill().latency_s[0, 1:21]
    assert np.allclose(np.diff(latency_s, n=2), 0.0, atol=1e-9)


def test_what_is_repeated() -> None:
    once, repeat = TABLE.coefficients.swapaxes(1, 2)
    local, edge, user_only = (TABLE.plans.index(plan) for plan in (plans.local_aigc(), plans.edge_aigc(), ALL_PLANS[0]))
    assert once[edge] == pytest.approx([4.0, 0, 0, 0.75 + 1.196, 0])
    assert repeat[edge] == pytest.approx([0, 6_291_456, 0, 0, 0])
    assert once[local] == pytest.approx([0, 0, 0, 0, 0.75])
    assert repeat[local] == pytest.approx([0, 0, 20 * 0.368, 0, 1.196])
    np.testing.assert_array_equal(once[user_only], once[local])
    np.testing.assert_array_equal(repeat[user_only], repeat[local])
    assert once[12] == pytest.approx([2.4, 0, 0, 0.75, 0])
    assert repeat[12] == pytest.approx([0, 131_072, 8 * 0.368, 0, 1.196])


def test_payload_bits_of_each_plan() -> None:
    assert TABLE.payload_bits.tolist() == [0, *[131_072] * 20, 6_291_456, 0]
    small = CostTable.compile([plans.semaigc(3)], payload_bits=Payloads(latent=8))
    assert small.payload_bits.tolist() == [8]


def test_devices_are_replaceable() -> None:
    twice = replace(RTX_A6000, step_s=0.4)
    table = CostTable.compile([plans.semaigc(20)], edge=twice, user=RTX_A6000)
    assert table.coefficients[0, :, 0] == pytest.approx([8.0, 0, 0, 0.75, 0])
    assert table.price(LinkState(0.0, 1e6)).user_power_w == 300.0


def test_the_table_is_read_only() -> None:
    for array in (TABLE.coefficients, TABLE.payload_bits):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [([], "at least one plan"), (["edge_aigc"], "must hold Plan objects .*, got 'edge_aigc'")],
)
def test_only_plans_compile(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CostTable.compile(wrong)
