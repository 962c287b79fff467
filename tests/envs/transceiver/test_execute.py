"""Plans executed stage by stage, with tiny random parts: as their short cuts, new ones, and those that are refused."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from envs import plans
from envs.plans import Compute, Plan, Transmit
from envs.transceiver.codecs import images
from envs.transceiver.codecs.images import encode
from envs.transceiver.codecs.latents import latent_codec
from envs.transceiver.execute import Execution, refusal
from envs.transceiver.items import Image, Item, Latent
from envs.transceiver.modules import MODULES, module
from envs.transceiver.schedule import Schedule
from envs.transceiver.transceiver import Delivery, Transceiver

PROMPTS, SEEDS = ["a red apple on a table", "an orange cat on snow"], [3, 4]
SNR_DB, DRAWS = [0.0, 3.0], [1, 2]
STEPS = 10
LATENT_BYTES, IMAGE_BYTES = 2 * 4 * 8 * 8, 2 * 3 * 64 * 64
DOWN, UP = Transmit("edge", "user", "latent"), Transmit("user", "edge", "latent")
DECODED = Compute("user", "vae_decoder")


def run(tiny: Transceiver, plan: Plan | str, receiver: str = "finetuned", snr_db: Any = SNR_DB) -> Delivery:
    return tiny.execute(plan, prompts=PROMPTS, seeds=SEEDS, snr_db=snr_db, receiver=receiver, channel_seeds=DRAWS)


def short_cut(tiny: Transceiver, name: str, receiver: str) -> Delivery:
    """What `generate` gives for a plan by another road: the noise-free image, or a split of some receiver."""
    stem, _, number = name.rstrip(")").partition("(")
    if name == "ciag_text":
        split, receiver = STEPS, "ignore"
    elif stem in ("semaigc", "euci"):
        split, receiver = int(number), receiver if stem == "semaigc" else "rematch"
    else:
        return tiny.generate(PROMPTS, SEEDS, STEPS)
    return tiny.generate(PROMPTS, SEEDS, split, SNR_DB, receiver, DRAWS)


@pytest.mark.parametrize("receiver", ["finetuned", "printed"])
@pytest.mark.parametrize("name", [plan.name for plan in plans.expand(plans.PROTOCOLS, STEPS)])
def test_every_plan_of_the_environment_is_its_short_cut_bit_for_bit(
    tiny: Transceiver, name: str, receiver: str
) -> None:
    got, expected = run(tiny, name, receiver), short_cut(tiny, name, receiver)
    assert torch.equal(got.images, expected.images)
    assert got.alignment is not None
    assert expected.alignment is not None
    assert torch.equal(got.alignment, expected.alignment)


def test_a_delivery_is_the_short_cuts_in_all_it_tells(tiny: Transceiver) -> None:
    got, expected = run(tiny, "semaigc(6)"), tiny.generate(PROMPTS, SEEDS, 6, SNR_DB, "finetuned", DRAWS)
    assert torch.equal(got.latents_sent, expected.latents_sent)
    assert torch.equal(got.latents_received, expected.latents_received)
    np.testing.assert_array_equal(got.noise_variance, expected.noise_variance)
    np.testing.assert_array_equal(got.channel_uses, expected.channel_uses)
    assert got.sent == expected.sent


@pytest.mark.parametrize("split", [0, 4, STEPS])
@pytest.mark.parametrize("snr_db", [None, SNR_DB])
def test_a_handed_over_state_goes_on_as_the_whole_plan_does(
    tiny: Transceiver, split: int, snr_db: list[float] | None
) -> None:
    states = tiny.trajectory(PROMPTS, SEEDS)
    got = tiny.deliver(states[split], PROMPTS, SEEDS, split, snr_db, "finetuned", DRAWS)
    assert torch.equal(got.images, run(tiny, f"semaigc({split})", snr_db=snr_db).images)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("semaigc(0)", {}),
        ("local_aigc", {}),
        ("semaigc(6)", {"latent": LATENT_BYTES}),
        ("semaigc(10)", {"latent": LATENT_BYTES}),
        ("ciag_text", {"latent": LATENT_BYTES}),
        ("edge_aigc", {"image": IMAGE_BYTES}),
        ("uieg_text", {"image": IMAGE_BYTES}),
        ("euci(6)", {"latent": LATENT_BYTES, "image": IMAGE_BYTES}),
    ],
)
@pytest.mark.parametrize("snr_db", [None, 3.0])
def test_bytes_that_crossed_a_link_are_counted(
    tiny: Transceiver, name: str, sent: dict[str, int], snr_db: float | None
) -> None:
    out = run(tiny, name, snr_db=snr_db)
    assert out.sent == sent
    assert out.channel_uses.any() == ("latent" in sent and snr_db is not None)


def test_an_image_arrives_without_error(tiny: Transceiver) -> None:
    noisy, perfect = run(tiny, "edge_aigc", snr_db=-20.0), run(tiny, "edge_aigc", snr_db=None)
    assert torch.equal(noisy.images, perfect.images)


GOES_ON = Compute("user", "finetune_unet", 4)
NEW_PLANS = {
    "the edge starts in two stages": (
        (Compute("edge", "unet", 2), Compute("edge", "unet", 4), DOWN, GOES_ON, DECODED),
        "semaigc(6)",
        {"latent": LATENT_BYTES},
    ),
    "from one user to another": (
        (Compute("user", "unet", 6), Transmit("user", "user", "latent"), GOES_ON, DECODED),
        "semaigc(6)",
        {"latent": LATENT_BYTES},
    ),
    "the generator goes on at the user": (
        (Compute("edge", "unet", 6), DOWN, Compute("user", "unet", 4), DECODED),
        "euci(6)",
        {"latent": LATENT_BYTES},
    ),
    "an image that goes the round": (
        (Compute("user", "unet", 10), DECODED, Transmit("user", "edge", "image"), Transmit("edge", "user", "image")),
        "local_aigc",
        {"image": 2 * IMAGE_BYTES},
    ),
}


@pytest.mark.parametrize(("stages", "same", "sent"), NEW_PLANS.values(), ids=NEW_PLANS)
def test_a_new_plan_of_known_modules_runs(
    tiny: Transceiver, stages: tuple[plans.Stage, ...], same: str, sent: dict[str, int]
) -> None:
    out = run(tiny, Plan("own", stages))
    assert torch.equal(out.images, run(tiny, same).images)
    assert out.sent == sent


def test_a_seed_that_is_sent_costs_and_changes_nothing(tiny: Transceiver) -> None:
    ends = Compute("edge", "vae_decoder"), Transmit("edge", "user", "image")
    out = run(tiny, Plan("own", (UP, Compute("edge", "unet", 10), *ends)), snr_db=-20.0)
    assert torch.equal(out.images, run(tiny, "edge_aigc").images)
    assert out.sent == {"image": IMAGE_BYTES}
    assert not out.channel_uses.any()


def test_noise_of_several_links_adds_up(tiny: Transceiver) -> None:
    round_trip = Plan("own", (Compute("edge", "unet", 6), DOWN, UP, DOWN, GOES_ON, DECODED))
    once, out = run(tiny, "semaigc(6)"), run(tiny, round_trip)
    assert out.sent == {"latent": 3 * LATENT_BYTES}
    np.testing.assert_array_equal(out.channel_uses, 3 * once.channel_uses)
    assert np.all(out.noise_variance > 2.9 * once.noise_variance)  # each link's noise in proportion to what it is sent
    error = (out.latents_received - once.latents_sent).double().square().mean(dim=(1, 2, 3)).numpy()
    np.testing.assert_allclose(error, out.noise_variance, rtol=0.5)  # so the three are not the same noise
    perfect = run(tiny, round_trip, snr_db=None)
    assert torch.equal(perfect.images, run(tiny, "semaigc(6)", snr_db=None).images)


def test_a_module_is_added_by_its_name(tiny: Transceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, decode = run(tiny, "semaigc(6)").images, MODULES["vae_decoder"]
    monkeypatch.setitem(MODULES, "vae_decoder", decode)  # put back afterwards

    @module("vae_decoder")
    def decode_darker(execution: Execution, item: Item | None, stage: Compute) -> Item | None:
        made = decode(execution, item, stage)
        assert isinstance(made, Image)
        return Image(made.pixels / 2)

    assert torch.equal(run(tiny, "semaigc(6)").images, plain / 2)


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("ciag", "its request is an image"),
        ("eiug", "its request is an image"),
        ("esuc_text", "the transceiver has no sketch_decoder"),
        ("uidg(2)", "several nodes work on its request"),
        ("cluster(5,2)", "it serves 2 different prompts from shared steps"),
        ("euci_unet_sent(6)", "it sends weights"),
        ("euci_cache_miss(6)", "it sends weights"),
    ],
)
def test_a_named_plan_is_refused_with_its_reason(tiny: Transceiver, plan: str, reason: str) -> None:
    (chosen,) = plans.expand(plan, STEPS)
    with pytest.raises(ValueError, match="cannot be executed") as error:
        run(tiny, plan)
    assert f"plan {chosen.name} cannot be executed: {reason}" in str(error.value)


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ((Compute("edge", "unet", 10), Transmit("edge", "user", "image")), "it sends the image of a latent"),
        (
            (Compute("edge", "unet", 10), Compute("edge", "vae_decoder"), DOWN, DECODED),
            "it sends the latent of an image",
        ),
        ((Compute("edge", "unet", 10), Transmit("edge", "user", "sketch")), "the transceiver has no sketch"),
        ((Compute("user", "unet", 10), DECODED, DECODED), "after decoding it goes on with vae_decoder"),
        ((Compute("user", "unet", 6), DECODED, Compute("user", "unet", 4)), "it decodes after 6 of 10 steps"),
        (
            (
                Compute("edge", "unet", 2),
                DOWN,
                Compute("user", "unet", 4),
                UP,
                Compute("edge", "unet", 4),
                DOWN,
                DECODED,
            ),
            "unet stops before the last step: a receiver takes all that remain",
        ),
        (
            (Compute("user", "finetune_unet", 4), Compute("user", "unet", 6), DECODED),
            "finetune_unet stops before the last step",
        ),
        ((Compute("user", "unet", 10),), "it ends with a latent that is never decoded"),
    ],
)
def test_an_own_plan_is_refused_with_its_reason(
    tiny: Transceiver, stages: tuple[plans.Stage, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=f"plan own cannot be executed: {reason}"):
        run(tiny, Plan("own", stages))


def test_what_is_refused_does_not_depend_on_the_names(tiny: Transceiver) -> None:
    for plan in plans.expand([*plans.PROTOCOLS, *plans.SCHEMES], STEPS):
        assert refusal(replace(plan, name="other")) == refusal(plan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plan": "semaigc"}, "execute one plan at a time, got the 11 of 'semaigc'"),
        ({"plan": "magic"}, "unknown plan 'magic'"),
        ({"receiver": "magic"}, "unknown receiver 'magic'"),
        ({"prompts": []}, "prompts is empty: give one or more"),
        ({"prompts": "a red apple"}, "prompts must be a list of strings, got the string 'a red apple'"),
        ({"seeds": [1]}, "give one seed for each of one or more prompts, got 2 and 1"),
        ({"channel_seeds": [1]}, "give one channel seed for each request, got 1 for 2"),
        ({"snr_db": [0.0, 1.0, 2.0]}, "give one SNR, or one for each request, got 3 for 2"),
        ({"snr_db": float("nan")}, "snr_db must be finite"),
    ],
)
def test_requests_that_do_not_fit_are_refused_before_anything_runs(
    tiny: Transceiver, monkeypatch: pytest.MonkeyPatch, change: dict, message: str
) -> None:
    monkeypatch.setattr(Transceiver, "initial_latents", lambda *_: pytest.fail("it was run"))
    request = {"plan": "semaigc(6)", "prompts": PROMPTS, "seeds": SEEDS, "snr_db": 0.0, **change}
    with pytest.raises(ValueError, match=message):
        tiny.execute(**request)


@pytest.mark.parametrize("codec", ["png", "jpeg75", "webp75", "webp20", "avif60"])
def test_the_user_sees_the_decoded_file_whose_bytes_were_sent(tiny: Transceiver, codec: str) -> None:
    raw, coded = run(tiny, "edge_aigc"), run(tiny, f"edge_aigc_{codec}")
    files = []
    for pixels in raw.images.mul(255).round().byte().permute(0, 2, 3, 1).numpy():  # by Pillow alone
        files.append(io.BytesIO())
        name, quality = plans.codec_quality(codec)
        PIL.Image.fromarray(pixels).save(files[-1], name.upper(), **({} if quality is None else {"quality": quality}))
    assert coded.sent == {"image": sum(len(file.getvalue()) for file in files)}
    seen = np.stack([np.array(PIL.Image.open(file).convert("RGB")) for file in files])
    assert torch.equal(coded.images, torch.from_numpy(seen).permute(0, 3, 1, 2).float() / 255)
    assert coded.sent["image"] < raw.sent["image"] == IMAGE_BYTES
    assert torch.equal(coded.latents_sent, raw.latents_sent)
    assert coded.alignment is not None
    assert tiny.components.judge is not None
    assert torch.equal(coded.alignment, tiny.components.judge.alignment(coded.images, PROMPTS))
    assert torch.equal(run(tiny, f"uieg_text_{codec}").images, coded.images)


def test_an_image_behind_a_noisy_link_is_coded_as_any_other(tiny: Transceiver) -> None:
    raw, coded = run(tiny, "euci(4)"), run(tiny, "euci(4)_webp")
    assert coded.sent["latent"] == raw.sent["latent"] == LATENT_BYTES
    assert coded.sent["image"] < raw.sent["image"]
    assert 0 < (coded.images - raw.images).abs().max() < 0.5


def test_the_cloud_makes_the_image_of_the_edge_and_its_file_is_made_once(
    tiny: Transceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    monkeypatch.setattr(images, "encode", lambda *given: made.append(encode(*given)) or made[-1])
    cloud = run(tiny, "cloud_aigc_jpeg30")
    assert len(made) == len(PROMPTS)
    edge = run(tiny, "edge_aigc_jpeg30")
    assert torch.equal(cloud.images, edge.images)
    assert cloud.sent == edge.sent  # over the wireless link
    assert torch.equal(run(tiny, "cloud_aigc").images, run(tiny, "edge_aigc").images)


def test_the_light_network_generates_by_itself_whatever_the_receiver(tiny: Transceiver) -> None:
    expected = tiny.generate(PROMPTS, SEEDS, 0, SNR_DB, "finetuned_light").images
    for receiver in ("finetuned", "ignore"):
        got = run(tiny, "local_light_aigc", receiver)
        assert torch.equal(got.images, expected)
        assert got.sent == {}
    assert not torch.equal(expected, run(tiny, "local_aigc").images)


@pytest.mark.parametrize("name", ["semaigc(3)", "edge_aigc", "local_light_aigc", "euci(2)"])
def test_a_plan_takes_its_own_number_of_steps(tiny: Transceiver, name: str) -> None:
    got, expected = run(tiny, f"{name}@4"), run(tiny.with_steps(4), name)
    assert torch.equal(got.images, expected.images)
    assert torch.equal(got.latents_received, expected.latents_received)
    assert not torch.equal(got.images, run(tiny, name).images)
    assert torch.equal(run(tiny, plans.expand(name, 4)[0]).images, expected.images)  # a plan says its own


@pytest.fixture
def execution(tiny: Transceiver) -> Execution:
    start = Latent(tiny.initial_latents(SEEDS), 0, None, tiny.schedule.fingerprint)
    return Execution(tiny, PROMPTS, SEEDS, None, "rematch", [0, 0], start)


@pytest.mark.parametrize("stage", [Compute("user", "unet", 5), Compute("user", "finetune_unet", 5), DECODED])
def test_a_latent_of_another_schedule_is_refused(execution: Execution, tiny: Transceiver, stage: Compute) -> None:
    other = Schedule.from_scheduler(tiny.components.scheduler, 5).fingerprint
    latent = replace(execution.start, step=5, schedule=other)
    with pytest.raises(ValueError, match=f"the latent is of the schedule '{other}', here is"):
        MODULES[stage.module](execution, latent, stage)


def test_an_image_is_no_latent(execution: Execution) -> None:
    with pytest.raises(ValueError, match="expected a latent, got an image"):
        MODULES["vae_decoder"](execution, Image(torch.zeros(2, 3, 64, 64)), DECODED)


def test_a_schedule_is_known_by_its_fingerprint(tiny: Transceiver) -> None:
    scheduler = tiny.components.scheduler
    assert Schedule.from_scheduler(scheduler, STEPS).fingerprint == tiny.schedule.fingerprint
    assert Schedule.from_scheduler(scheduler, STEPS + 1).fingerprint != tiny.schedule.fingerprint


def test_image_to_image_runs_by_any_plan(tiny: Transceiver) -> None:
    image = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    request = {"prompts": PROMPTS, "seeds": SEEDS, "image": image, "strength": 0.5}
    whole = tiny.execute("edge_aigc", **request)
    assert torch.equal(tiny.execute("local_aigc", **request).images, whole.images)
    assert torch.equal(tiny.execute("euci(7)", **request).images, whole.images)
    split = tiny.execute("semaigc(7)", **request, snr_db=0.0, receiver="rematch")
    assert split.sent == {"latent": LATENT_BYTES}
    first = tiny.execute("semaigc(5)", **request, snr_db=0.0, receiver="rematch")
    assert first.sent == {}  # the edge has not begun: prompt, image and seed say it all
    assert torch.equal(first.images, whole.images)


@pytest.mark.parametrize("codec", ["u2", "u4"])
def test_a_coded_latent_is_a_file_and_meets_no_noise_but_its_own(tiny: Transceiver, codec: str) -> None:
    name, handed = f"semaigc(6)_{codec}", latent_codec(codec)
    out = run(tiny, name)
    files = handed.encode(out.latents_sent)
    assert out.sent == {"latent": sum(map(len, files))}
    expected = handed.decode(files, out.latents_sent)
    assert torch.equal(out.latents_received, expected.latents)
    np.testing.assert_array_equal(out.noise_variance, expected.noise_variance)
    assert not out.channel_uses.any()
    assert torch.equal(out.images, run(tiny, name, snr_db=None).images)  # nothing of the channel is in it
    assert not torch.equal(out.images, run(tiny, "semaigc(6)", snr_db=None).images)


def test_receivers_rematch_to_the_noise_of_the_quantiser(tiny: Transceiver) -> None:
    """`ignore` takes it for clean; and it is the same as that much noise of a channel."""
    told, untold = (run(tiny, "semaigc(6)_u2", receiver) for receiver in ("rematch", "ignore"))
    assert torch.equal(told.latents_received, untold.latents_received)
    assert not torch.equal(told.images, untold.images)
    states = tiny.trajectory(PROMPTS, SEEDS)
    handed_over = tiny.deliver(states[6], PROMPTS, SEEDS, 6, None, "rematch", DRAWS, codec="u2")
    assert torch.equal(handed_over.images, told.images)


def test_without_a_step_at_the_edge_no_file_is_sent(tiny: Transceiver) -> None:
    states = tiny.trajectory(PROMPTS, SEEDS)
    assert tiny.deliver(states[0], PROMPTS, SEEDS, 0, None, "rematch", DRAWS, codec="u4").sent == {}
