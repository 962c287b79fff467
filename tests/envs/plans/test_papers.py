"""The plans of EUCI, collaborative diffusion and MEG, against what the papers' text and figures say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import plans
from envs.plans import Compute, Plan, Transmit

UP_LATENT, DOWN_IMAGE = Transmit("user", "edge", "latent"), Transmit("edge", "user", "image")


def steps_at(plan: Plan, node: str) -> int:
    return sum(s.steps for s in plan.stages if isinstance(s, Compute) and s.denoises and s.node == node)


def test_euci_is_user_first_edge_last_with_the_decoder_at_the_edge() -> None:
    assert plans.euci(8).stages == (
        Compute("edge", "text_encoder"),
        Compute("user", "unet", 8),
        UP_LATENT,
        Compute("edge", "unet", 12),
        Compute("edge", "vae_decoder"),
        DOWN_IMAGE,
    )
    assert Compute("edge", "unet", 12) not in plans.euci(20).stages


def test_eucis_weights_go_before_the_request() -> None:
    held, sent, fetched = (plans.euci(8, weights=weights) for weights in ("held", "sent", "fetched"))  # type: ignore[arg-type]
    unet, model = Transmit("edge", "user", "unet"), Transmit("cloud", "edge", "model")
    assert sent.stages == (unet, *held.stages)
    assert fetched.stages == (model, unet, *held.stages)
    assert [plan.attempt_start for plan in (held, sent, fetched)] == [2, 3, 4]
    assert {plan.handover_step for plan in (held, sent, fetched)} == {8}
    with pytest.raises(ValueError, match="unknown weights 'lost'; allowed: held, sent, fetched"):
        plans.euci(8, weights="lost")  # type: ignore[arg-type]


@given(data=st.data(), total=st.integers(2, 60), users=st.integers(2, 9))
def test_shared_steps_are_done_once_and_the_rest_by_everyone(data: st.DataObject, total: int, users: int) -> None:
    shared = data.draw(st.integers(1, total - 1))
    for plan in (plans.edge_to_devices(shared, users, total), plans.cluster(shared, users, total)):
        once, rest = (s for s in plan.stages if isinstance(s, Compute) and s.denoises)
        assert (once.steps, once.nodes) == (shared, 1)
        assert (rest.steps, rest.nodes) == (total - shared, users)
        assert plan.num_inference_steps == total
        assert plan.requests == users
    sent = [
        s.copies
        for plan in (plans.edge_to_devices(shared, users, total), plans.cluster(shared, users, total))
        for s in plan.stages
        if isinstance(s, Transmit)
    ]
    assert sent == [users, users - 1]


def test_the_papers_collaboration_of_two_phones() -> None:
    two = plans.device_to_device(5, 11)
    assert two.stages == plans.cluster(5, 2, 11).stages
    assert [s for s in two.stages if isinstance(s, Transmit)] == [Transmit("user", "user", "latent")]


@pytest.mark.parametrize("make", [plans.cluster, plans.edge_to_devices])
@pytest.mark.parametrize("shared", [0, 20])
def test_nothing_shared_or_everything_is_no_collaboration(make: Callable[..., Plan], shared: int) -> None:
    with pytest.raises(ValueError, match=rf"shared must be an integer in 1\.\.19, got {shared}"):
        make(shared, 2)


def test_a_cluster_has_two_users() -> None:
    with pytest.raises(ValueError, match="users must be an integer >= 2, got 1"):
        plans.cluster(5, 1)


# MEG, figure 6: what goes up and what comes down.
OVERHEAD = {
    "full_ue": (None, None),
    "full_es": ("image", "image"),
    "uieg": ("latent", "image"),
    "eiug": ("image", "latent"),
    "ciag": ("latent", "latent"),
    "esuc": ("image", "sketch"),
    "uidg": ("latent", "image"),
    "diug": ("image", "latent"),
    "dsuc": ("image", "sketch"),
    "uidcg": ("latent", "image"),
    "dcsuc": ("image", "sketch"),
}


@pytest.mark.parametrize(("name", "payloads"), OVERHEAD.items())
def test_megs_protocols_send_what_the_paper_says(name: str, payloads: tuple[str | None, str | None]) -> None:
    plan = getattr(plans, name)(3) if name in plans.FAMILIES else getattr(plans, name)()
    sent = {stage.src: stage.payload for stage in plan.stages if isinstance(stage, Transmit)}
    assert (sent.get("user"), sent.get("edge")) == payloads
    assert steps_at(plan, "user" if name == "full_ue" else "edge") == 20


@pytest.mark.parametrize("name", ["full_ue", "uieg", "ciag", "uidg", "uidcg"])
def test_the_image_is_encoded_where_the_latent_comes_from(name: str) -> None:
    plan = getattr(plans, name)(3) if name in plans.FAMILIES else getattr(plans, name)()
    assert Compute("user", "vae_encoder") in plan.stages


def test_for_a_prompt_alone_half_of_the_protocols_are_known_plans() -> None:
    same = {plans.full_ue: plans.local_aigc(), plans.full_es: plans.edge_aigc(), plans.eiug: plans.semaigc(20)}
    for protocol, known in same.items():
        assert protocol(request="text").stages == known.stages
    uieg, ciag = plans.expand(["uieg_text", "ciag_text"])
    assert uieg.stages == (Compute("user", "text_encoder"), *plans.edge_aigc().stages[1:])
    assert ciag.stages == (Compute("user", "text_encoder"), *plans.semaigc(20).stages[1:])
    with pytest.raises(ValueError, match="unknown request 'sound'; allowed: image, text"):
        plans.ciag(request="sound")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "nodes", "divided", "copies", "finished"),
    [
        ("uidg", 4, False, 4, 0),
        ("diug", 4, False, 4, 4),
        ("dsuc", 4, False, 4, 1),
        ("uidcg", 4, True, 1, 0),
        ("dcsuc", 4, True, 1, 1),
    ],
)
def test_servers_work_for_themselves_or_on_parts(
    name: str, nodes: int, divided: bool, copies: int, finished: int
) -> None:
    plan: Plan = getattr(plans, name)(4)
    (steps,) = (s for s in plan.stages if isinstance(s, Compute) and s.denoises)
    assert (steps.nodes, steps.divided) == (nodes, divided)
    assert [s.copies for s in plan.stages if isinstance(s, Transmit)] == [1, copies]
    decoded: list[Any] = [s for s in plan.stages if isinstance(s, Compute) and s.node == "user"]
    assert sum(s.module in ("vae_decoder", "sketch_completer") for s in decoded) == finished


@pytest.mark.parametrize("name", ["uidg", "diug", "dsuc", "uidcg", "dcsuc"])
def test_servers_are_counted(name: str) -> None:
    with pytest.raises(ValueError, match="servers must be an integer >= 1, got 0"):
        plans.expand(f"{name}(0)")
