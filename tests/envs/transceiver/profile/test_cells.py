"""Every plan has a cell of the profile, or a reason why not."""

from __future__ import annotations

import pytest

from envs import plans
from envs.plans import Compute, Plan, Transmit
from envs.transceiver.profile.cells import ProfileCell, measured_cell


def cell_of(name: str) -> ProfileCell:
    (plan,) = plans.expand(name)
    return measured_cell(plan, "finetuned")


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("semaigc(0)", ProfileCell("finetuned", 0)),
        ("semaigc(12)", ProfileCell("finetuned", 12)),
        ("semaigc(20)", ProfileCell("finetuned", 20)),
        ("edge_aigc", ProfileCell("finetuned", None)),
        ("local_aigc", ProfileCell("finetuned", None)),
        ("uieg_text", ProfileCell("finetuned", None)),
        ("ciag_text", ProfileCell("finetuned", 20)),
        ("euci(8)", ProfileCell("rematch", 8)),
        ("euci(20)", ProfileCell("finetuned", 20)),  # no step is left: every receiver is the identity
    ],
)
def test_what_the_transceiver_runs_is_measured(name: str, cell: ProfileCell) -> None:
    assert cell_of(name) == cell


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        *((name, "its request is an image") for name in ("full_ue", "full_es", "uieg", "eiug", "ciag", "esuc")),
        ("esuc_text", "the transceiver has no sketch_decoder"),
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
    with pytest.raises(ValueError, match="the quality of plan .* was not measured") as error:
        measured_cell(plan, "finetuned")
    assert f"plan {plan.name} was not measured: {reason}" in str(error.value)


GOES_ON = Compute("user", "finetune_unet", 5)
DECODED = Compute("user", "vae_decoder")
STARTED, SENT = Compute("edge", "unet", 5), Transmit("edge", "user", "latent")
BACK = Transmit("user", "edge", "latent")
IMAGE = Compute("edge", "vae_decoder"), Transmit("edge", "user", "image")


@pytest.mark.parametrize(
    ("stages", "cell"),
    [
        ((Compute("edge", "unet", 2), Compute("edge", "unet", 3), SENT, GOES_ON, DECODED), ProfileCell("printed", 5)),
        ((Compute("user", "unet", 5), Transmit("user", "user", "latent"), GOES_ON, DECODED), ProfileCell("printed", 5)),
        ((Compute("user", "unet", 4), Compute("user", "unet", 6), DECODED), ProfileCell("printed", None)),
        ((STARTED, SENT, Compute("user", "unet", 5), DECODED), ProfileCell("rematch", 5)),
        ((BACK, STARTED, *IMAGE), ProfileCell("rematch", 0)),
    ],
)
def test_an_own_plan_reads_the_cell_that_its_stages_name(stages: tuple[plans.Stage, ...], cell: ProfileCell) -> None:
    assert measured_cell(Plan("own", stages), "printed") == cell


AGAIN = "a latent crosses a link again, or behind a receiver"


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        (
            (STARTED, SENT, Compute("user", "unet", 5), BACK, *IMAGE),
            AGAIN,
        ),
        ((GOES_ON, BACK, *IMAGE), AGAIN),
        (
            (Compute("user", "unet", 5), GOES_ON, DECODED),
            "its fine-tuning network goes on with a latent that crossed no link",
        ),
        ((Compute("user", "unet", 5), DECODED, DECODED), "after decoding it goes on with vae_decoder"),
        ((Compute("user", "unet", 5),), "it ends with a latent that is never decoded"),
    ],
)
def test_own_chains_that_nobody_measured(stages: tuple[plans.Stage, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=f"the quality of plan own was not measured: {reason}"):
        measured_cell(Plan("own", stages), "finetuned")
