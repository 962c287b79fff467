"""Every plan has a cell of the profile, or a reason why not."""

from __future__ import annotations

import pytest

from envs import plans
from envs.plans import Compute, Plan, Transmit
from envs.transceiver.profile.cells import Cell, measured_cell


def cell_of(name: str) -> Cell:
    (plan,) = plans.expand(name)
    return measured_cell(plan, "finetuned")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("semaigc(0)", Cell("finetuned", 0)),
        ("semaigc(12)", Cell("finetuned", 12)),
        ("semaigc(20)", Cell("finetuned", 20)),
        ("edge_aigc", Cell("finetuned", None)),
        ("local_aigc", Cell("finetuned", None)),
        ("uieg_text", Cell("finetuned", None)),
        ("ciag_text", Cell("finetuned", 20)),
        ("euci(8)", Cell("rematch", 8)),
        ("euci(20)", Cell("finetuned", 20)),  # no step is left: every receiver is the identity
    ],
)
def test_what_the_transceiver_runs_is_measured(name: str, cell: Cell) -> None:
    assert cell_of(name) == cell


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, "its request is an image") for name in ("full_ue", "full_es", "uieg", "eiug", "ciag", "esuc")),
        ("esuc_text", "the transceiver has no sketches"),
        *((f"{name}(2)", "several nodes") for name in ("uidg", "diug", "dsuc", "uidcg", "dcsuc")),
        ("edge_to_devices(5,3)", "it serves 3 different prompts from shared steps"),
        ("cluster(5,2)", "it serves 2 different prompts from shared steps"),
        ("device_to_device(5)", "it serves 2 different prompts from shared steps"),
        ("euci_unet_sent(8)", "it sends weights"),
        ("euci_cache_miss(8)", "it sends weights"),
    ],
)
def test_what_nobody_measured_is_refused_by_name(name: str, reason: str) -> None:
    (plan,) = plans.expand(name)
    with pytest.raises(ValueError, match="nobody has measured the quality of plan") as error:
        measured_cell(plan, "finetuned")
    assert f"plan {plan.name}: {reason}" in str(error.value)


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        (
            (
                Compute("edge", "unet", 5),
                Transmit("edge", "user", "latent"),
                Compute("user", "unet", 5),
                Transmit("user", "edge", "latent"),
                Compute("edge", "vae_decoder"),
                Transmit("edge", "user", "image"),
            ),
            "no such chain as unet, latent, unet, latent, vae_decoder, image",
        ),
        (
            (Compute("user", "unet", 5), Compute("user", "finetune_unet", 5), Compute("user", "vae_decoder")),
            "no such chain",
        ),
        (
            (Compute("user", "unet", 5), Compute("user", "vae_decoder"), Compute("user", "vae_decoder")),
            "after decoding",
        ),
        ((Compute("user", "unet", 5),), "no such chain as unet"),
    ],
)
def test_own_chains_that_it_cannot_run(stages: tuple[plans.Stage, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        measured_cell(Plan("own", stages), "finetuned")
