"""Every plan has a cell of the profile, or a reason why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs import plans
from envs.plans import Compute, Plan, Transmit
from envs.transceiver.profile.cells import ProfileCell, measured_cell, measured_requests
from envs.transceiver.profile.table import TableKey
from tests.profiles import honest_profile


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
        ("edge_aigc_png", ProfileCell("finetuned", None)),  # nothing is lost
        ("edge_aigc_webp", ProfileCell("noise-free", 20, "webp75")),
        ("edge_aigc_webp@8", ProfileCell("noise-free", 8, "webp75")),
        ("uieg_text_jpeg90", ProfileCell("noise-free", 20, "jpeg90")),
        ("cloud_aigc_avif@5", ProfileCell("noise-free", 5, "avif60")),
        ("cloud_aigc", ProfileCell("finetuned", None)),
        ("local_light_aigc", ProfileCell("finetuned_light", 0)),
        ("local_light_aigc@5", ProfileCell("finetuned_light", 0)),
        ("semaigc(3)@8", ProfileCell("finetuned", 3)),
        ("euci(8)_png", ProfileCell("rematch", 8)),
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
        ("euci(8)_webp", "codec webp75 was measured on the generator's noise-free images alone"),
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
        ((STARTED, SENT, Compute("user", "finetune_light_unet", 5), DECODED), ProfileCell("finetuned_light", 5)),
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


@pytest.mark.parametrize(
    "name", ["semaigc(12)", "semaigc(8)_u4@8", "edge_aigc", "edge_aigc_webp@8", "local_light_aigc"]
)
def test_requests_that_a_plan_was_measured_on(name: str) -> None:
    part = honest_profile(num_requests=5).part("test")
    (plan,) = plans.expand(name)
    assert measured_requests(part, plan, "finetuned") == 5
    cell = measured_cell(plan, "finetuned")
    if cell.split is not None:  # of a table, which may have fewer than the part
        key = TableKey(cell.receiver, plan.num_inference_steps, cell.codec)
        fewer = replace(part, tables={**part.tables, key: part.tables[key].limited(2, None)})
        assert measured_requests(fewer, plan, "finetuned") == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("semaigc(3)_u3", "no table of finetuned with T = 20, codec u3"),
        ("edge_aigc@12", "images of T = 12 were not measured"),
        ("edge_aigc_avif", "no table of noise-free with T = 20, codec avif60"),
        ("full_ue", "was not measured"),
    ],
)
def test_plans_that_a_profile_has_not_measured(name: str, reason: str) -> None:
    (plan,) = plans.expand(name)
    with pytest.raises(ValueError, match=reason):
        measured_requests(honest_profile().part("test"), plan, "finetuned")
