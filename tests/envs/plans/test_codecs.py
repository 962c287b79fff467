"""Suffixes of plans' names: codecs of what is sent, and their own number of steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from envs import plans
from envs.plans import Plan, Transmit, full_codec


def sent(plan: Plan) -> list[tuple[str, str | None]]:
    return [(stage.payload, stage.codec) for stage in plan.stages if isinstance(stage, Transmit)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edge_aigc", [("image", None)]),
        ("edge_aigc_png", [("image", "png")]),
        ("edge_aigc_webp", [("image", "webp75")]),
        ("edge_aigc_avif", [("image", "avif60")]),
        ("uieg_text_jpeg", [("image", "jpeg75")]),
        ("uieg_text_jpeg90", [("image", "jpeg90")]),
        ("cloud_aigc_webp", [("image", "webp75"), ("image", "webp75")]),
        ("full_es_webp", [("image", "webp75"), ("image", "webp75")]),
        ("uidg(3)_avif30", [("latent", None), ("image", "avif30")]),
        ("semaigc(12)_u4", [("latent", "u4")]),
        ("euci(10)_u4_webp", [("latent", "u4"), ("image", "webp75")]),
        ("edge_aigc_webp@8", [("image", "webp75")]),
        ("semaigc(3)_u2@8", [("latent", "u2")]),
    ],
)
def test_a_suffix_is_a_codec_of_what_the_plan_sends_and_the_name_comes_back(
    name: str, expected: list[tuple[str, str | None]]
) -> None:
    (plan,) = plans.expand(name)
    assert plan.name == name
    assert sent(plan) == expected
    assert plans.expand(plan.name) == (plan,)
    bare = plans.expand(name.partition("@")[0].split("_u4")[0].split("_u2")[0])[0]
    assert [type(stage) for stage in plan.stages] == [type(stage) for stage in bare.stages]


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("edge_aigc_webp75", "edge_aigc_webp"),
        ("edge_aigc_webp@20", "edge_aigc_webp"),
        ("semaigc(12)@20", "semaigc(12)"),
        ("euci(10)_webp_u4", "euci(10)_u4_webp"),
        ("non_root@8", "semaigc(4)@8"),
    ],
)
def test_what_is_usual_is_left_out_of_a_name(name: str, usual: str) -> None:
    assert [plan.name for plan in plans.expand(name)] == [usual]
    assert plans.expand(name) == plans.expand(usual)


def test_any_plan_takes_its_own_number_of_steps() -> None:
    for name in ("edge_aigc_webp@8", "semaigc(3)@8", "local_light_aigc@8", "cloud_aigc@8", "euci(8)@8", "uidg(2)@8"):
        (plan,) = plans.expand(name, 12)
        assert (plan.name, plan.num_inference_steps) == (name, 8)
        (same,) = plans.expand(name, 8)
        assert (same.name, same.stages) == (name.removesuffix("@8"), plan.stages)
    splits = plans.expand("semaigc@8")
    assert [plan.name for plan in splits] == [f"semaigc({k})@8" for k in range(9)]
    assert [plan.edge_steps for plan in splits] == list(range(9))
    mixed = plans.expand(["semaigc", "semaigc@8", "edge_aigc_webp@5", "edge_aigc_webp@20"])
    assert len(mixed) == 21 + 9 + 2


def test_of_a_family_those_are_coded_that_send_it() -> None:
    assert [plan.name for plan in plans.expand("semaigc_u4@2")] == [
        "semaigc(0)@2",
        "semaigc(1)_u4@2",
        "semaigc(2)_u4@2",
    ]


def test_own_plans_take_suffixes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_suffixed.py").write_text(
        "from envs import plans\nfrom envs.plans import Family, Plan\n\n"
        "def late(split, num_inference_steps):\n"
        "    return Plan(f'late({split})', plans.euci(split, num_inference_steps).stages)\n\n"
        "LATE = Family(late, ('split',), first=1)\nFIXED = Plan('fixed', plans.edge_aigc(6).stages)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [plan.name for plan in plans.expand("own_suffixed.py:late(2)_webp@4")] == ["late(2)_webp@4"]
    assert [plan.name for plan in plans.expand("own_suffixed.py:LATE_u3@2")] == ["late(1)_u3@2", "late(2)_u3@2"]
    assert sent(plans.expand("own_suffixed:FIXED_webp")[0]) == [("image", "webp75")]
    with pytest.raises(ValueError, match="own_suffixed.py:FIXED takes 6 steps, whatever is asked for"):
        plans.expand("own_suffixed.py:FIXED@8")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edge_aigc_u4", "plan 'edge_aigc_u4': it sends no latent, so that codec u4 has nothing to do"),
        ("local_aigc_webp", "plan 'local_aigc_webp': it sends no image"),
        ("semaigc_webp", "plan 'semaigc_webp': it sends no image"),
        (
            "edge_aigc_webp0",
            "unknown codec 'webp0'; allowed: png, jpeg1..jpeg100, webp1..webp100, avif1..avif100, u2..u8",
        ),
        ("edge_aigc_webp101", "unknown codec 'webp101'"),
        ("semaigc(12)_u9", "unknown codec 'u9'"),
        ("edge_aigc_png9", "unknown plan 'edge_aigc_png9'; allowed: .*_png, _jpeg, _webp, _avif .* _u2.._u8 .* @T"),
        ("edge_aigc_webp_jpeg", "plan 'edge_aigc_webp_jpeg' names several codecs of the same: webp75, jpeg75"),
        ("semaigc(9)@8", r"split must be an integer in 0\.\.8, got 9"),
        ("edge_aigc@0", "num_inference_steps must be an integer >= 1, got 0"),
        ("edge_aigc@x", "unknown plan 'edge_aigc@x'"),
    ],
)
def test_what_a_plan_cannot_take_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plans.expand(name)


def test_a_stage_knows_its_codec_by_the_whole_name() -> None:
    assert Transmit("edge", "user", "image", codec="webp").codec == "webp75"
    assert [full_codec(name) for name in ("png", "avif", "jpeg5", "u8")] == ["png", "avif60", "jpeg5", "u8"]
    for payload, codec, message in (
        ("latent", "webp", "codec webp75 is for images, not for: latent"),
        ("image", "u4", "codec u4 is for latents, not for: image"),
        ("unet", "png", "codec png is for images, not for: unet"),
        ("image", "gif", "unknown codec 'gif'"),
    ):
        with pytest.raises(ValueError, match=message):
            Transmit("edge", "user", payload, codec=codec)  # type: ignore[arg-type]


def test_the_cloud_and_the_light_network_make_whole_images() -> None:
    cloud, light = plans.cloud_aigc(5), plans.local_light_aigc(5)
    assert {stage.node for stage in cloud.stages if not isinstance(stage, Transmit)} == {"cloud"}
    assert [(s.src, s.dst) for s in cloud.stages if isinstance(s, Transmit)] == [("cloud", "edge"), ("edge", "user")]
    assert cloud.uses_cloud
    assert [(s.node, s.module) for s in light.denoising] == [("user", "finetune_light_unet")]
    assert not light.uses_cloud
    assert (cloud.num_inference_steps, light.num_inference_steps) == (5, 5)
    assert (cloud.edge_steps, light.edge_steps) == (0, 0)


def test_the_share_that_lies_behind_each_stage() -> None:
    assert plans.semaigc(12).shares_done == (0.0, 0.0, 0.6, 0.6, 1.0)
    assert plans.semaigc(0, 4).shares_done == (0.0, 0.0, 1.0)
