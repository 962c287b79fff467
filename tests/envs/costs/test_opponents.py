"""Prices of coded images, of the cloud, of the light network and of other numbers of steps, against sums by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from envs import costs, plans
from envs.costs import A100, GTX_1080_TI, RTX_A6000, CostTable, Counted, LinkState, Payloads, Stated, Timed
from envs.costs.codecs import TABLE, codec_curves, image_bits_per_pixel
from envs.costs.sources import ReceiverStep
from envs.plans import Compute, Plan, Transmit

EXACT = 1e-9
PIXELS = 512 * 512
CLOUD = costs.Device(
    "cloud", clock_hz=1e9, cores=100, step_s=0.05, power_w=400.0, text_encoder_s=0.02, vae_decoder_s=0.1
)


def price(name: str, **changes: object) -> costs.Price:
    (plan,) = plans.expand(name)
    state = {"snr_db": 0.0, "bandwidth_hz": 1e6, **changes}  # 1 Mbit/s
    return costs.price(plan, **state)  # type: ignore[arg-type]


def file_bits(codec: str) -> int:
    return round(PIXELS * image_bits_per_pixel(codec))


@pytest.mark.parametrize(
    ("suffix", "codec"), [("_webp", "webp75"), ("_jpeg90", "jpeg90"), ("_avif", "avif60"), ("_png", "png")]
)
def test_a_coded_image_has_its_files_bits_and_all_else_stays(suffix: str, codec: str) -> None:
    raw, coded = price("edge_aigc"), price(f"edge_aigc{suffix}")
    assert raw.payload_bits == 24 * PIXELS
    assert coded.payload_bits == file_bits(codec) < raw.payload_bits
    assert coded.latency_parts_s == pytest.approx(raw.latency_parts_s | {"link": file_bits(codec) / 1e6}, rel=EXACT)
    assert coded.energy_j == raw.energy_j
    assert (
        price(f"uieg_text{suffix}").payload_bits == price(f"euci(5){suffix}").payload_bits - 131_072 == file_bits(codec)
    )
    assert price(f"uidg(3){suffix}").payload_bits == 131_072 + 3 * file_bits(codec)


def test_steps_are_paid_by_their_number() -> None:
    assert price("edge_aigc_webp@8").latency_s == pytest.approx(0.75 + 8 * 0.2 + 1.196 + file_bits("webp75") / 1e6)
    assert price("semaigc(3)@8").latency_s == pytest.approx(0.75 + 3 * 0.2 + 0.131072 + 5 * 0.368 + 1.196)
    assert price("local_light_aigc@5").latency_s == pytest.approx(0.75 + 5 * 0.368 + 1.196)


def test_the_cloud_by_hand() -> None:
    states = {"edge_availability": 0.2, "user_availability": 0.5, "density_factor": 1.25, "cloud": CLOUD}
    got, bits = price("cloud_aigc_webp@5", **states), file_bits("webp75")
    cloud_s = 0.02 + 5 * 1.25 * 0.05 + 0.1
    assert got.latency_parts_s == pytest.approx(
        {"edge": 0, "link": bits / 125e6 + bits / 1e6, "user": 0, "cloud": cloud_s}
    )
    assert got.latency_s == pytest.approx(cloud_s + bits / 125e6 + bits / 1e6, rel=EXACT)
    assert got.energy_j == pytest.approx(400.0 * cloud_s, rel=EXACT)
    assert got.payload_bits == bits  # over the wireless link
    sent = costs.traffic(plans.expand("cloud_aigc_webp@5")[0])
    assert (sent.backhaul_bits, sent.downlink_bits, sent.wireless_bits) == (bits, bits, bits)
    assert price("cloud_aigc", backhaul_bps=1e6).latency_parts_s["link"] == pytest.approx(2 * 6.291456)
    again = price("cloud_aigc_webp@5", **states, attempts=3)
    assert again.latency_s == pytest.approx(cloud_s + 3 * (bits / 125e6 + bits / 1e6), rel=EXACT)


def test_plans_without_the_cloud_cost_the_same_beside_one_that_uses_it() -> None:
    names = ["semaigc", "edge_aigc_webp", "euci_cache_miss(5)"]
    alone, beside = (CostTable.compile(plans.expand([*names, *more])) for more in ([], ["cloud_aigc"]))
    rng = np.random.default_rng(0)
    state = LinkState(rng.uniform(-5, 15, 9), rng.uniform(1e5, 1e7, 9), rng.uniform(0.1, 1, 9), rng.uniform(0.5, 1, 9))
    one, other = alone.price(state).bill(2), beside.price(state).bill(2)
    assert one.parts_s.cloud is None
    assert set(one.parts_s.by_name()) == {"edge", "link", "user"}
    assert set(other.parts_s.by_name()) == {"edge", "link", "user", "cloud"}
    assert np.array_equal(one.latency_s, other.latency_s[:, :-1])
    assert np.array_equal(one.energy_j, other.energy_j[:, :-1])
    assert not other.parts_s.cloud[:, :-1].any()
    assert not beside.price(state).needs_edge[:, -1].any()
    chosen = beside.price(state, np.full(9, len(beside.plans) - 1)).bill(2)
    assert np.array_equal(chosen.latency_s, other.latency_s[:, -1])
    totals = beside.price(state).totals().bill(2)
    np.testing.assert_allclose(totals.latency_s, other.latency_s, rtol=1e-12)
    np.testing.assert_allclose(totals.energy_j, other.energy_j, rtol=1e-12)


def test_several_clouds_side_by_side_all_draw_power() -> None:
    stages = (Compute("cloud", "unet", 4, nodes=3), Compute("cloud", "vae_decoder"))
    plan = Plan("three", (*stages, Transmit("cloud", "edge", "image"), Transmit("edge", "user", "image")))
    got = costs.price(plan, snr_db=0.0, bandwidth_hz=1e6, cloud=CLOUD)
    assert got.latency_parts_s["cloud"] == pytest.approx(4 * 0.05 + 0.1)
    assert got.energy_j == pytest.approx(400.0 * (3 * 4 * 0.05 + 0.1))


def test_where_the_cloud_and_the_edge_change_places() -> None:
    table = CostTable.compile(plans.expand(["cloud_aigc_webp", "edge_aigc"]), cloud=replace(CLOUD, step_s=1.0))
    bandwidth_hz = costs.crossover_bandwidth_hz(table, LinkState(0.0, 1.0))
    cloud_s, edge_s = table.price(LinkState(0.0, bandwidth_hz)).bill().latency_s[0]
    assert cloud_s == pytest.approx(edge_s, rel=1e-3)


def test_sources_give_the_cloud_and_the_light_network_their_seconds() -> None:
    counted = costs.counted_operations()
    assert Stated().cloud(CLOUD) is CLOUD
    assert Counted().cloud(A100).step_s == pytest.approx(2 * counted["unet"].flops / 5.18e13)
    assert A100.step_s == pytest.approx(Counted().cloud(A100).step_s, rel=1e-2)
    with pytest.raises(ValueError, match="costs=flops needs the effective throughput compute_flops_per_s of cloud"):
        Counted().cloud(CLOUD)
    assert GTX_1080_TI.module_s("finetune_light_unet") == GTX_1080_TI.step_s  # the authors': of either network
    for step in (ReceiverStep(), ReceiverStep(light=True, guided=True)):
        user = Counted().devices(RTX_A6000, GTX_1080_TI, step)[1]
        assert user.module_s("finetune_light_unet") == pytest.approx(counted["bk_sdm_small"].flops / 4.37e12)
    timed = Timed("here", 0.1, 0.4, 0.05, 0.2, ReceiverStep(), Payloads(), user_slowdown=3.0, cloud_slowdown=0.5)
    assert timed.cloud(A100).step_s == pytest.approx(0.2)
    assert replace(timed, light_step_s=0.02).devices(A100, A100, ReceiverStep())[1].light_step_s == pytest.approx(0.06)


def test_the_table_of_codecs() -> None:
    curves = codec_curves()
    assert set(curves) == {"png", "jpeg", "webp", "avif"}
    assert np.isinf(curves["png"].psnr_db).all()
    for name, usual in plans.DEFAULT_QUALITY.items():
        assert usual in curves[name].quality
        assert (np.diff(curves[name].bits_per_pixel) > 0).all()
        assert (np.diff(curves[name].psnr_db) > 0).all()
        assert 30.0 < curves[name].psnr_db[curves[name].quality.index(usual)] < 40.0
    half = (curves["webp"].bits_per_pixel[0] + curves["webp"].bits_per_pixel[1]) / 2
    assert image_bits_per_pixel("webp15") == pytest.approx(half)
    with pytest.raises(ValueError, match=r"quality of webp must lie in 10\.\.95, which were measured, got 5"):
        price("edge_aigc_webp5")


def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "codecs.csv"
    wrong.write_text(TABLE.read_text().replace("bits_per_pixel", "bits"))
    with pytest.raises(ValueError, match=r"codecs\.csv is no table of measure_codecs: 'bits_per_pixel'"):
        codec_curves(wrong)
