"""Environments with coded images, the cloud, the light network and several numbers of steps, on a made-up profile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import envs
from envs import costs, plans
from envs.fidelity import check_measured_with
from envs.model import SplitModel
from envs.settings import SplitSettings
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import METRICS, NOISE_FREE, QualityTable, TableKey

OPPONENTS = ["edge_aigc_webp", "edge_aigc", "local_light_aigc", "cloud_aigc_webp", "cloud_aigc", "semaigc(12)"]


def column_table(values: float, requests: int, splits: tuple[int, ...], draws: int) -> QualityTable:
    """A table of one value over a perfect link, alone."""
    noise_free = np.full((len(METRICS), requests, len(splits)), values, np.float32)
    measured = np.full((*noise_free.shape, 2, draws), np.nan, np.float32)
    return QualityTable(splits, np.array([-20.0, 30.0]), measured, noise_free, {"weights": "x"}, np.arange(requests))


@pytest.fixture(scope="module")
def full(profile: QualityProfile) -> QualityProfile:
    """With tables of WebP and of the light network."""
    parts = {}
    for place, part in profile.parts.items():
        count = len(part.requests)
        own = {
            TableKey(NOISE_FREE, 20, "webp75"): column_table(0.95, count, (20,), 0),
            TableKey("finetuned_light", 20): column_table(0.85, count, (0,), 3),
        }
        parts[place] = replace(part, tables={**part.tables, **own})
    return QualityProfile(parts, 20, profile.fingerprint)


def stepped(profile: QualityProfile, name: str, **settings: Any) -> dict[str, Any]:
    env = gym.make("envs:SemAIGC/Split-v0", profile=profile, plans=OPPONENTS, **settings)
    env.reset(seed=0)
    return env.step(env.unwrapped.model.action_of(name))[-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "quality"), [("edge_aigc_webp", 0.95), ("cloud_aigc_webp", 0.95), ("local_light_aigc", 0.85)]
)
@pytest.mark.parametrize("link", ["paper", "digital"])
def test_a_plan_reads_its_table_whatever_the_snr(full: QualityProfile, name: str, quality: float, link: str) -> None:
    info = stepped(full, name, link=link, scenario={"name": "paper", "snr_db": (-6.0, -6.0)})
    assert info["quality"]["alignment"] == pytest.approx(quality)
    better = stepped(full, name, link=link, scenario={"name": "paper", "snr_db": (15.0, 15.0)})
    assert better["quality"]["alignment"] == pytest.approx(quality)


def test_the_cloud_has_a_part_of_the_latency_and_its_own_device(full: QualityProfile) -> None:
    device = costs.Device(
        "cloud", clock_hz=1e9, cores=1, step_s=0.5, power_w=100.0, text_encoder_s=1.0, vae_decoder_s=2.0
    )
    info = stepped(full, "cloud_aigc_webp", cloud_device=device)
    parts = info["latency_parts_s"]
    assert list(parts) == ["edge", "link", "user", "cloud"]
    assert parts["edge"] == parts["user"] == 0.0
    assert 3.0 + 0.75 * 10.0 <= parts["cloud"] <= 3.0 + 1.25 * 10.0
    assert info["energy_j"] == pytest.approx(100.0 * parts["cloud"])
    assert info["latency_s"] == pytest.approx(parts["cloud"] + parts["link"])
    assert stepped(full, "semaigc(12)")["latency_parts_s"]["cloud"] == 0.0


def test_without_such_a_plan_nothing_of_the_cloud_is_seen(full: QualityProfile) -> None:
    env = gym.make("envs:SemAIGC/Split-v0", profile=full)
    env.reset(seed=0)
    assert list(env.step(3)[-1]["latency_parts_s"]) == ["edge", "link", "user"]
    batch = gym.make_vec("envs:SemAIGC/Split-v0", num_envs=3, profile=full, plans=OPPONENTS)
    batch.reset(seed=0)
    assert batch.step(np.full(3, 3))[-1]["latency_parts_s"]["cloud"].shape == (3,)


@pytest.mark.parametrize("scenario", ["queue", "cache", "battery"])
def test_the_cloud_needs_neither_the_edges_compute_nor_its_model(full: QualityProfile, scenario: str) -> None:
    model = SplitModel(SplitSettings(profile=full, plans=OPPONENTS, scenario=scenario))
    prices = model.costs.price(costs.LinkState(np.zeros(4), np.full(4, 1e6)))
    names = [name for name, needs in zip(model.plan_names, prices.needs_edge[0], strict=True) if needs]
    assert names == ["edge_aigc_webp", "edge_aigc", "semaigc(12)"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edge_aigc_avif", "plan edge_aigc_avif was not measured: .*noise-free with T = 20, codec avif60"),
        ("edge_aigc_webp@8", "plan edge_aigc_webp@8 was not measured: .*noise-free with T = 8, codec webp75"),
        ("local_light_aigc@5", "plan local_light_aigc@5 was not measured: .*finetuned_light with T = 5"),
        ("edge_aigc@5", "images of T = 5 were not measured, only of T = 20"),
    ],
)
def test_a_missing_table_is_refused_by_name(full: QualityProfile, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SplitModel(SplitSettings(profile=full, plans=[name]))


def test_other_weights_than_the_coded_images_were_made_with_are_refused(full: QualityProfile) -> None:
    model = SplitModel(SplitSettings(profile=full, plans=["edge_aigc_webp"], receiver="finetuned_light"))
    assert TableKey(NOISE_FREE, 20, "webp75") in model.quality.keys
    with pytest.raises(ValueError, match="the profile's table of .* was measured with"):
        check_measured_with(model)


def test_the_clouds_device_is_checked_at_the_door() -> None:
    with pytest.raises(ValueError, match="cloud_device must be an envs.costs.Device, its values by name"):
        SplitSettings(cloud_device="laptop")
    assert envs.SplitSettings().cloud_device == costs.A100


def test_counted_costs_price_a_cloud_of_unknown_throughput_only_where_it_is_used(full: QualityProfile) -> None:
    unknown = replace(costs.A100, compute_flops_per_s=None)
    settings = {"profile": full, "costs": "flops", "cloud_device": unknown}
    assert SplitModel(SplitSettings(plans=["edge_aigc_webp"], **settings)).costs.plans == plans.expand("edge_aigc_webp")
    with pytest.raises(ValueError, match="compute_flops_per_s of A100"):
        SplitModel(SplitSettings(plans=["cloud_aigc"], **settings))
