from __future__ import annotations

from dataclasses import replace

import pytest

from envs import costs, plans
from envs.costs import GTX_1080_TI, RTX_A6000, Counted, Payloads, ReceiverStep, Stated, Timed, counted_operations
from envs.costs.sources import cost_source

LIGHT, FULL = ReceiverStep(light=True, guided=False), ReceiverStep(light=False, guided=True)
TIMED = Timed("laptop", 0.1, 0.4, 0.05, 0.2, LIGHT, Payloads(latent=2048, image=98_304), user_slowdown=3.0)


def test_stated_seconds_are_the_devices() -> None:
    assert Stated().devices(RTX_A6000, GTX_1080_TI, LIGHT) == (RTX_A6000, GTX_1080_TI)
    assert Stated().payloads == Payloads()


def test_counted_seconds_are_operations_over_throughput() -> None:
    edge, user = Counted().devices(RTX_A6000, GTX_1080_TI, LIGHT)
    counted = counted_operations()
    assert edge.step_s == pytest.approx(2 * counted["unet"].flops / 8.03e12)
    assert user.module_s("finetune_unet") == pytest.approx(counted["bk_sdm_small"].flops / 4.37e12)
    assert user.module_s("unet") == pytest.approx(0.368, rel=2e-3)
    assert edge.text_encoder_s == pytest.approx(2 * counted["text_encoder"].flops / 8.03e12)
    assert user.vae_decoder_s == pytest.approx(counted["vae_decoder"].flops / 4.37e12)
    assert (edge.power_w, edge.clock_hz, edge.name) == (RTX_A6000.power_w, RTX_A6000.clock_hz, RTX_A6000.name)


def test_a_step_of_the_receiver_costs_what_it_runs() -> None:
    def step_s(step: ReceiverStep) -> float:
        return Counted().devices(RTX_A6000, GTX_1080_TI, step)[1].module_s("finetune_unet")

    assert step_s(ReceiverStep(light=False, guided=True)) == pytest.approx(0.368, rel=2e-3)
    assert step_s(ReceiverStep()) == pytest.approx(step_s(FULL) / 2)  # `finetuned`: the generator's size, one forward
    assert step_s(ReceiverStep(light=True, guided=True)) == pytest.approx(2 * step_s(LIGHT))
    assert step_s(LIGHT) / step_s(FULL) == pytest.approx(510.9 / 1606.5, rel=1e-3)


def test_the_light_network_is_a_choice() -> None:
    small, tiny = (Counted(name).devices(RTX_A6000, GTX_1080_TI, LIGHT)[1] for name in ("bk_sdm_small", "bk_sdm_tiny"))
    assert tiny.module_s("finetune_unet") < small.module_s("finetune_unet")
    with pytest.raises(ValueError, match="unknown light_model 'huge'; allowed: bk_sdm_base"):
        Counted("huge")


def test_a_plan_is_priced_with_the_counted_seconds() -> None:
    edge, user = Counted().devices(RTX_A6000, GTX_1080_TI, LIGHT)
    price = costs.price(plans.semaigc(12), snr_db=0.0, bandwidth_hz=1e6, edge=edge, user=user)
    assert price.latency_parts_s["user"] == pytest.approx((8 * 510.9 + 2514.5) / 4370, rel=1e-4)
    assert price.latency_parts_s["edge"] == pytest.approx((12 * 1606.5 + 2 * 13.3) / 8030, rel=1e-4)


def test_an_unknown_throughput_cannot_be_counted_with() -> None:
    with pytest.raises(ValueError, match="compute_flops_per_s of RTX A6000"):
        Counted().devices(replace(RTX_A6000, compute_flops_per_s=None), GTX_1080_TI, LIGHT)


def test_timed_seconds_are_the_machines_times_the_slowdown() -> None:
    edge, user = TIMED.devices(RTX_A6000, GTX_1080_TI, LIGHT)
    assert (edge.text_encoder_s, edge.step_s, edge.module_s("finetune_unet"), edge.vae_decoder_s) == (
        0.1,
        0.4,
        0.05,
        0.2,
    )
    assert user.step_s == pytest.approx(1.2)
    assert user.module_s("finetune_unet") == pytest.approx(0.15)
    assert (edge.name, user.name) == ("laptop", "laptop, 3 times slower")
    assert user.power_w == GTX_1080_TI.power_w


def test_timed_seconds_belong_to_the_receiver_that_was_timed() -> None:
    with pytest.raises(ValueError, match="time them for this receiver"):
        TIMED.devices(RTX_A6000, GTX_1080_TI, FULL)


@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_a_slowdown_is_positive(value: float) -> None:
    with pytest.raises(ValueError, match="edge_slowdown must be a finite number > 0, got"):
        replace(TIMED, edge_slowdown=value)


def test_sources_by_name() -> None:
    assert cost_source("paper") == Stated()
    assert cost_source("flops") == Counted()
    assert cost_source(TIMED) is TIMED
    with pytest.raises(ValueError, match="unknown costs 'free'; allowed: paper, flops, measured"):
        cost_source("free")
    with pytest.raises(ValueError, match="timed_costs"):
        cost_source("measured")
