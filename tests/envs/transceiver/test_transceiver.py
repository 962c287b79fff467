"""The split sampler: the hand-over is exact, the channel is what it says, and bad requests are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from envs.transceiver.receivers import RECEIVERS
from envs.transceiver.transceiver import Transceiver

PROMPTS = ["a red apple on a table", "an orange cat on snow", "a blue car at night"]
SEEDS = [3, 4, 5]


@pytest.mark.parametrize("receiver", ["ignore", "rematch"])
def test_without_noise_every_split_is_the_unsplit_run_bit_for_bit(tiny: Transceiver, receiver: str) -> None:
    whole = tiny.generate(PROMPTS, SEEDS, split=10).images
    for split in range(11):
        assert torch.equal(tiny.generate(PROMPTS, SEEDS, split, receiver=receiver).images, whole)


def test_the_trajectory_holds_what_each_split_hands_over(tiny: Transceiver) -> None:
    states = tiny.trajectory(PROMPTS, SEEDS)
    for split in (0, 4, 10):
        assert torch.equal(tiny.generate(PROMPTS, SEEDS, split).latents_sent, states[split])


@pytest.mark.parametrize("receiver", sorted(RECEIVERS))
def test_every_receiver_survives_any_noise(tiny: Transceiver, receiver: str) -> None:
    for snr_db in (-20.0, 0.0, 40.0):
        for split in (0, 1, 5, 9, 10):
            delivery = tiny.generate(PROMPTS, SEEDS, split, snr_db=snr_db, receiver=receiver)
            assert delivery.images.isfinite().all()
            assert delivery.images.min() >= 0
            assert delivery.images.max() <= 1


@pytest.mark.parametrize("receiver", ["rematch", "proposition1"])
def test_a_nearly_perfect_link_gives_nearly_the_unsplit_image(tiny: Transceiver, receiver: str) -> None:
    whole = tiny.generate(PROMPTS, SEEDS, split=5).images
    near = tiny.generate(PROMPTS, SEEDS, split=5, snr_db=80.0, receiver=receiver).images
    assert (near - whole).abs().max() < 0.01


def test_at_split_t_every_receiver_is_the_identity(tiny: Transceiver) -> None:
    images = [tiny.generate(PROMPTS, SEEDS, 10, snr_db=0.0, receiver=name).images for name in RECEIVERS]
    assert all(torch.equal(image, images[0]) for image in images)


def test_at_split_0_nothing_crosses_the_channel(tiny: Transceiver) -> None:
    delivery = tiny.generate(PROMPTS, SEEDS, 0, snr_db=-20.0)
    assert torch.equal(delivery.latents_received, delivery.latents_sent)
    assert not delivery.noise_variance.any()


def test_the_same_seeds_give_the_same_bits_and_others_do_not(tiny: Transceiver) -> None:
    once, again = (tiny.generate(PROMPTS, SEEDS, 5, snr_db=0.0).images for _ in range(2))
    other_channel = tiny.generate(PROMPTS, SEEDS, 5, snr_db=0.0, channel_seeds=[1, 1, 1])
    other_seed = tiny.generate(PROMPTS, [9, 9, 9], 5, snr_db=0.0)
    assert torch.equal(once, again)
    assert not torch.equal(once, other_channel.images)
    assert not torch.equal(once, other_seed.images)


def test_the_channel_noise_is_the_same_at_every_snr_and_split(tiny: Transceiver) -> None:
    def unit(split: int, snr_db: float) -> torch.Tensor:
        out = tiny.generate(PROMPTS, SEEDS, split, snr_db=snr_db)
        return (out.latents_received - out.latents_sent) / torch.tensor(out.noise_variance**0.5)[:, None, None, None]

    assert torch.allclose(unit(3, 0.0), unit(7, -6.0), atol=1e-5)


def test_a_request_does_not_depend_on_its_batch(tiny: Transceiver) -> None:
    together = tiny.generate(PROMPTS, SEEDS, 5, snr_db=0.0, receiver="ancestral").images
    alone = tiny.generate(PROMPTS[1:2], SEEDS[1:2], 5, snr_db=0.0, receiver="ancestral").images
    assert (together[1] - alone[0]).abs().max() < 1e-3


def test_image_to_image_starts_from_the_image(tiny: Transceiver) -> None:
    image = torch.full((3, 3, 64, 64), 0.5)
    one, other = (
        tiny.generate(PROMPTS, SEEDS, 10, image=picture, strength=0.5).images for picture in (image, 0 * image)
    )
    assert not torch.equal(one, other)
    with pytest.raises(ValueError, match=r"split must be in 5\.\.10 at strength 0.5, got 4"):
        tiny.generate(PROMPTS, SEEDS, 4, image=image, strength=0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": -1}, r"split must be an integer in 0\.\.10, got -1"),
        ({"split": 11}, r"split must be an integer in 0\.\.10, got 11"),
        ({"split": 2.5}, r"split must be an integer in 0\.\.10, got 2.5"),
        ({"snr_db": float("nan")}, "snr_db must be finite"),
        ({"snr_db": float("inf")}, "snr_db must be finite"),
        ({"snr_db": [0.0, 3.0]}, "one SNR, or one for each request, got 2 for 3"),
        ({"receiver": "magic"}, "unknown receiver 'magic': choose from ignore"),
        ({"seeds": [1]}, "one seed for each"),
        ({"prompts": "a red apple"}, "must be a list of strings"),
        ({"channel_seeds": [1]}, "one channel seed for each"),
    ],
)
def test_bad_requests_are_refused(tiny: Transceiver, change: dict, message: str) -> None:
    request = {"prompts": PROMPTS, "seeds": SEEDS, "split": 5, "snr_db": 0.0, **change}
    with pytest.raises(ValueError, match=message):
        tiny.generate(**request)


def test_unknown_words_are_named(tiny: Transceiver) -> None:
    with pytest.warns(UserWarning, match="furry"):
        tiny.generate(["a furry cat"], [1], 5)


def test_alignment_is_a_probability_of_the_words_that_are_said(tiny: Transceiver) -> None:
    images = tiny.generate(PROMPTS, SEEDS, 5).images
    said = tiny.components.needed_judge().alignment(images, ["apple", "a red apple", "a red apple on a table"])
    assert said is not None
    assert np.all((said.numpy() >= 0) & (said.numpy() <= 1))
    assert tiny.components.needed_judge().alignment(images[:1], ["nothing of it"]) == 1.0


@pytest.mark.parametrize("channel", ["rayleigh", {"name": "bit_flip", "probability": 0.05}])
def test_other_channels_carry_the_latent_too(tiny: Transceiver, channel: str | dict) -> None:
    other = Transceiver(tiny.components, num_inference_steps=10, channel=channel)
    once, again, draw = (
        other.generate(PROMPTS, SEEDS, 5, 3.0, "proposition1", channel_seeds=[seed] * 3) for seed in (0, 0, 1)
    )
    assert other.fingerprint["channel"] == other.channel.fingerprint != "awgn"
    assert once.images.isfinite().all()
    assert np.all(once.noise_variance > 0)
    assert torch.equal(once.images, again.images)
    assert not torch.equal(once.images, draw.images)
    assert torch.equal(other.generate(PROMPTS, SEEDS, 5).images, tiny.generate(PROMPTS, SEEDS, 5).images)


def test_analogue_symbols_are_counted(tiny: Transceiver) -> None:
    assert np.all(tiny.generate(PROMPTS, SEEDS, 5, 3.0).channel_uses == 4 * 8 * 8 / 2)
    assert not tiny.generate(PROMPTS, SEEDS, 0, 3.0).channel_uses.any()


@pytest.mark.parametrize("channel", ["rayleigh", "bit_flip", "coded"])
def test_every_channel_carries_a_request_and_repeats_itself(tiny: Transceiver, channel: str) -> None:
    if channel == "coded":
        pytest.importorskip("sionna", reason="the extra phy is not installed")
    link = Transceiver(tiny.components, num_inference_steps=10, channel=channel)
    first, again = (link.generate(PROMPTS, SEEDS, 6, snr_db=20.0, channel_seeds=[1, 2, 3]) for _ in range(2))
    assert torch.equal(first.images, again.images)
    assert first.images.isfinite().all()
    assert not torch.equal(first.latents_received, first.latents_sent)
    error = (first.latents_received - first.latents_sent).double().square().mean(dim=(1, 2, 3))
    assert np.allclose(error, first.noise_variance, rtol=0.5)  # mean square of 256 elements, and the coarse quantiser
