from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.plans import Compute, Plan, Transmit

TOTALS = st.integers(1, 60)


@given(data=st.data(), total=TOTALS)
def test_semaigc_shares_all_steps(data: st.DataObject, total: int) -> None:
    split = data.draw(st.integers(0, total))
    plan = plans.semaigc(split, total)
    steps = [stage for stage in plan.stages if isinstance(stage, Compute) and stage.denoises]
    assert sum(stage.steps for stage in steps if stage.node == "edge") == split == plan.edge_steps
    assert plan.handover_step == (split or None)
    assert plan.num_inference_steps == total
    assert {stage.module for stage in steps if stage.node == "edge"} <= {"unet"}
    assert {stage.module for stage in steps if stage.node == "user"} <= {"finetune_unet"}
    assert plan.payload == ("latent" if split else None)
    assert plan.name == f"semaigc({split})"


def test_split_zero_does_everything_at_the_user() -> None:
    assert plans.semaigc(0).stages == (
        Compute("user", "text_encoder"),
        Compute("user", "finetune_unet", 20),
        Compute("user", "vae_decoder"),
    )


def test_full_split_leaves_the_decoding() -> None:
    assert plans.semaigc(20).stages == (
        Compute("edge", "text_encoder"),
        Compute("edge", "unet", 20),
        Transmit("edge", "user", "latent"),
        Compute("user", "vae_decoder"),
    )
    assert plans.non_finetuning() == plans.semaigc(20)


@pytest.mark.parametrize(("total", "half"), [(20, 10), (7, 3), (1, 0)])
def test_non_root_halves(total: int, half: int) -> None:
    assert plans.non_root(total) == plans.semaigc(half, total)


def test_whole_generators_hand_no_latent_over() -> None:
    edge, local = plans.edge_aigc(), plans.local_aigc()
    assert edge.handover_step is None
    assert edge.edge_steps == 20
    assert edge.payload == "image"
    assert edge.stages[-1] == Transmit("edge", "user", "image")
    assert local.handover_step is None
    assert local.edge_steps == 0
    assert local.payload is None
    assert all(isinstance(stage, Compute) and stage.node == "user" for stage in local.stages)
    assert edge.num_inference_steps == local.num_inference_steps == 20


@given(TOTALS)
def test_semaigc_expands_to_every_split_in_order(total: int) -> None:
    expanded = plans.expand("semaigc", total)
    assert [plan.edge_steps for plan in expanded] == list(range(total + 1))


@pytest.mark.parametrize(
    ("name", "handed_over", "at_the_edge", "attempt_start"),
    [
        ("semaigc(0)", None, 0, 1),
        ("semaigc(7)", 7, 7, 2),
        ("semaigc(20)", 20, 20, 2),
        ("euci(8)", 8, 12, 2),
        ("euci_cache_miss(8)", 8, 12, 4),
        ("cluster(5,4)", 5, 0, 2),
        ("ciag", 0, 20, 2),
        ("eiug", 20, 20, 0),
        ("ciag_text", 20, 20, 2),
        ("full_es", None, 20, 0),
        ("edge_aigc", None, 20, 3),
        ("local_aigc", None, 0, 1),
    ],
)
def test_where_a_latent_is_handed_over_and_what_an_attempt_repeats(
    name: str, handed_over: int | None, at_the_edge: int, attempt_start: int
) -> None:
    (plan,) = plans.expand(name)
    assert (plan.handover_step, plan.edge_steps, plan.attempt_start) == (handed_over, at_the_edge, attempt_start)


def test_expand_keeps_the_order_and_drops_repeats() -> None:
    own = Plan("own", plans.local_aigc().stages)
    expanded = plans.expand(["edge_aigc", "non_root", own, "semaigc(10)", "semaigc(3)", "local_aigc"])
    assert [plan.name for plan in expanded] == ["edge_aigc", "semaigc(10)", "own", "semaigc(3)", "local_aigc"]


NAMES = ["semaigc", "semaigc(7)", "euci", "euci_cache_miss(3)", "cluster(5,4)", "uidg(3)", *plans.SCHEMES]


@given(st.lists(st.sampled_from(NAMES), min_size=1))
def test_plans_expand_to_themselves(names: list[str]) -> None:
    expanded = plans.expand(names)
    assert plans.expand(expanded) == expanded
    assert plans.expand([plan.name for plan in expanded]) == expanded


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cloud"], r"unknown plan 'cloud'; allowed: semaigc, semaigc\(0\.\.20\), edge_aigc, local_aigc"),
        ([3], "unknown plan 3"),
        (["semaigc(21)"], r"split must be an integer in 0\.\.20, got 21"),
        (["semaigc(-1)"], r"split must be an integer in 0\.\.20, got -1"),
        (["euci(0)"], r"split must be an integer in 1\.\.20, got 0"),
        (["euci(21)"], r"split must be an integer in 1\.\.20, got 21"),
        (["cluster(3)"], r"plan 'cluster\(3\)' must be written cluster\(shared,users\), with whole numbers"),
        (["uidg"], r"plan 'uidg' must be written uidg\(servers\)"),
        (["uidg(2.5)"], r"unknown plan 'uidg\(2\.5\)'"),
        (["edge_aigc(3)"], r"unknown plan 'edge_aigc\(3\)'"),
        ([], "at least one plan"),
        ([plans.edge_aigc(4), "edge_aigc"], "two different plans are named 'edge_aigc'"),
    ],
)
def test_expand_refuses(names: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plans.expand(names)


@pytest.mark.parametrize("split", [-1, 21, 2.0, "3", True, None])
def test_a_split_is_an_integer_within_the_steps(split: Any) -> None:
    with pytest.raises(ValueError, match=r"split must .*, got"):
        plans.semaigc(split)


def test_numpy_integers_become_plain() -> None:
    plan = plans.semaigc(np.int64(5), np.int32(20))  # type: ignore[arg-type]
    assert plan == plans.semaigc(5)
    assert type(plan.handover_step) is int


@pytest.mark.parametrize("scheme", [plans.semaigc.__name__, *plans.SCHEMES])
def test_no_plan_without_steps(scheme: str) -> None:
    with pytest.raises(ValueError, match="num_inference_steps must be an integer >= 1, got 0"):
        plans.expand(scheme, 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Compute("moon", "unet"), "unknown node 'moon'; allowed: edge, user, cloud"),  # type: ignore[arg-type]
        (lambda: Compute("edge", "gan"), "unknown module 'gan'; allowed: text_encoder, unet"),  # type: ignore[arg-type]
        (lambda: Compute("edge", "unet", 5, 0), "nodes must be an integer >= 1, got 0"),
        (lambda: Transmit("cloud", "user", "model"), "no link from 'cloud' to 'user': send to 'edge' first"),
        (lambda: Transmit("edge", "user", "image", 0), "copies must be an integer >= 1, got 0"),
        (lambda: Plan("nobody", plans.local_aigc().stages, requests=0), "requests must be an integer >= 1, got 0"),
        (lambda: Plan("text", (Compute("user", "text_encoder"),)), "must end at 'user', got None"),
        (lambda: Compute("edge", "unet", 0), "steps of unet must be an integer >= 1, got 0"),
        (lambda: Compute("edge", "vae_decoder", 2), r"steps of vae_decoder must be an integer in 1\.\.1, got 2"),
        (lambda: Transmit("edge", "edge", "latent"), "must differ"),
        (lambda: Transmit("edge", "user", "sound"), "unknown payload 'sound'; allowed: latent, image"),  # type: ignore[arg-type]
        (lambda: Plan("empty", ()), "no stages"),
        (lambda: Plan("edge", (Compute("edge", "unet"),)), "must end at 'user'"),
        (lambda: Plan("jump", (Compute("edge", "unet"), Compute("user", "vae_decoder"))), "the data is at 'edge'"),
    ],
)
def test_stages_and_plans_refuse(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_plans_and_costs_are_light() -> None:
    code = (
        "import sys, envs.plans, envs.costs; "
        "sys.exit(', '.join({'torch', 'diffusers', 'transformers'} & set(sys.modules)) or None)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
