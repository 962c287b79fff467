"""What the receiver's networks learn from, and what their loss is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from envs import checks
from envs.transceiver import load_transceiver, steps
from envs.transceiver.model.vocabulary import token_ids
from envs.transceiver.scenes.scenes import COLOURS, NOUNS, PLACES, caption
from envs.transceiver.schedule import Schedule
from envs.transceiver.train_embedded.distil import DistilLoss, StatesSettings, record_states
from envs.transceiver.train_embedded.parts import ModelParts
from envs.transceiver.transceiver import Transceiver

from .test_stages import tiny_parts

BATCH = 4


@pytest.fixture(scope="module")
def parts(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ModelParts:
    """Six recorded batches of four requests, with T of 1, 4 and 6."""
    sizes = "states={batches: 6, batch_size: 4, num_inference_steps: [1, 4, 6], chances: [0.4, 0.3, 0.3]}"
    parts = tiny_parts(tiny_folder, tmp_path_factory.mktemp("distil"), sizes)
    record_states(parts)
    return parts


def states_of(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as states:
        return dict(states)


def prompt(labels: np.ndarray) -> str:
    noun, colour, place = labels
    return caption(NOUNS[noun], (*COLOURS, None)[colour], (*PLACES, None)[place])


def numbers_of_steps(parts: ModelParts) -> list[int]:
    """T of every batch, from the timestep that its trajectory starts at."""
    starts = {Schedule.from_scheduler(parts.scheduler, number).timesteps[0]: number for number in (1, 4, 6)}
    return [starts[float(states_of(file)["timesteps"][0])] for file in record_states(parts)]


def generator_of(parts: ModelParts, number: int) -> Transceiver:
    return load_transceiver(parts.config.init, number, parts.config.sampling.guidance_scale)


def test_a_batch_is_a_trajectory_and_what_noisy_links_hand_over(parts: ModelParts) -> None:
    found = numbers_of_steps(parts)
    assert {1, 4, 6} == set(found)
    for number, file in zip(found, record_states(parts), strict=True):
        states = states_of(file)
        times = states["timesteps"].reshape(-1, BATCH)
        plain = Schedule.from_scheduler(parts.scheduler, number).timesteps
        assert (times[:number] == plain[:, None]).all()
        runs = np.flatnonzero(np.append((np.diff(times, axis=0) > 0).any(axis=1), True)) + 1
        lengths = np.diff([0, *runs]).tolist()
        assert lengths[0] == number
        assert len(lengths) == 1 + min(3, number - 1)
        assert len(set(lengths)) == len(lengths)  # splits differ
        for first, count in zip(runs[:-1], lengths[1:], strict=True):
            assert (times[first] >= plain[number - count]).all()  # re-matched to a noisier timestep
            assert len(set(times[first].tolist())) > 1  # each link has its own SNR


def test_the_target_is_the_guided_prediction_for_the_prompt_of_a_row(parts: ModelParts) -> None:
    states = states_of(record_states(parts)[numbers_of_steps(parts).index(6)])
    rows = np.arange(len(states["latents"]))
    latents, times = torch.from_numpy(states["latents"]).float(), torch.from_numpy(states["timesteps"])
    predict = generator_of(parts, 6).predictor("unet", True, [prompt(states["labels"][row]) for row in rows])
    expected = predict(latents, times)
    assert torch.allclose(torch.from_numpy(states["noise"]).float(), expected, atol=0.02)
    trajectory = generator_of(parts, 6).predictor("finetune_unet", False, ["a red apple"] * len(rows))
    assert not torch.allclose(trajectory(latents, times), expected, atol=0.02)


def test_the_coefficient_is_what_an_error_of_the_noise_does_in_its_step(parts: ModelParts) -> None:
    states = states_of(record_states(parts)[numbers_of_steps(parts).index(4)])
    times = states["timesteps"].reshape(-1, BATCH)[:4].astype(np.float64)
    here, after = (torch.from_numpy(bar) for bar in Schedule.from_scheduler(parts.scheduler, 4).alpha_bars(times.T))
    moved = [steps.ddim_step(torch.zeros(()).double(), torch.tensor(eps), here, after) for eps in (0.0, 1.0)]
    expected = (moved[1] - moved[0]).T.reshape(-1).numpy()
    assert states["coefficient"][: 4 * BATCH] == pytest.approx(expected, rel=1e-4)


def test_a_recording_that_was_stopped_goes_on_and_gives_the_same(
    parts: ModelParts, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = "states={batches: 3, batch_size: 4, num_inference_steps: [1, 4, 6], chances: [0.4, 0.3, 0.3]}"
    again, sent = tiny_parts(tiny_folder, tmp_path, settings), []
    initial = Transceiver.initial_latents

    def stops(self: Transceiver, seeds: list[int]) -> torch.Tensor:
        sent.append(seeds)
        if len(sent) == 3:
            raise KeyboardInterrupt
        return initial(self, seeds)

    monkeypatch.setattr(Transceiver, "initial_latents", stops)
    with pytest.raises(KeyboardInterrupt):
        record_states(again)
    assert len(list((again.folder / "states").iterdir())) == 2
    record_states(again)
    assert len(sent) == 4  # the third batch alone
    for one, other in zip(record_states(again), record_states(parts)[:3], strict=True):
        first, second = states_of(one), states_of(other)
        assert all(np.array_equal(first[name], second[name]) for name in second)


def test_short_prompts_are_among_them(tiny_folder: Path, tmp_path: Path) -> None:
    """Shares of 200 within 5 standard errors of 0.3, which are 0.16."""
    many = "states={batches: 1, batch_size: 200, num_inference_steps: [1], chances: [1.0], unsaid: 0.3}"
    labels = states_of(record_states(tiny_parts(tiny_folder, tmp_path, many))[0])["labels"]
    unsaid = (labels == -1).mean(axis=0)
    assert unsaid[0] == 0
    assert unsaid[1:] == pytest.approx(0.3, abs=0.16)
    with pytest.raises(ValueError, match=r"states.unsaid must be a finite number in \[0, 1\], got 2"):
        tiny_parts(tiny_folder, tmp_path, "states.unsaid=2").states  # noqa: B018


def test_the_loss_is_the_weighted_error_of_the_unguided_prediction(parts: ModelParts) -> None:
    unet = parts.unet("unet")
    loss = DistilLoss(parts, unet)
    files = [states_of(file) for file in record_states(parts)]
    every = {name: np.concatenate([states[name] for states in files]) for name in files[0]}
    assert len(loss) == len(every["latents"])
    index = torch.arange(0, len(loss), 7)
    rows = {name: torch.from_numpy(values[index.numpy()]) for name, values in every.items()}
    squared = np.maximum(every["coefficient"].astype(np.float64) ** 2, 0.0025)
    weights = torch.from_numpy(0.7 * squared[index.numpy()] / squared.mean() + 0.3)
    ids = token_ids(parts.tokenizer, [prompt(labels) for labels in rows["labels"].numpy()])
    with torch.no_grad():
        context = parts.trained_text_encoder()(ids)[0]
        error = unet(rows["latents"].float(), rows["timesteps"], context).sample - rows["noise"].float()
    expected = (weights[:, None, None, None] * error.double() ** 2).mean()
    assert loss(index, torch.Generator()).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batches": 0}, "states.batches must be an integer >= 1, got 0"),
        ({"chances": [0.5, 0.4]}, r"states.chances must add up to 1, one for each of .* \[4, 6\], got \[0.5, 0.4\]"),
        ({"chances": [1.0]}, r"states.chances must add up to 1, one for each of .* \[4, 6\], got \[1.0\]"),
        ({"chances": [1.5, -0.5]}, r"states.chances\[1\] must be a finite number >= 0, got -0.5"),
        ({"num_inference_steps": [4, 0]}, r"states.num_inference_steps\[1\] must be an integer >= 1, got 0"),
        ({"snr_db": [[8, -20]]}, r"states.snr_db\[0\] must be .* low <= high, got \[8, -20\]"),
        ({"count": 3}, "unknown keys in states: count; allowed: batches"),
    ],
)
def test_settings_are_refused(change: dict, message: str) -> None:
    given = {
        "batches": 2,
        "batch_size": 4,
        "num_inference_steps": [4, 6],
        "chances": [0.5, 0.5],
        "handovers": 3,
        "unsaid": 0.25,
    }
    with pytest.raises(ValueError, match=message):
        checks.parse(StatesSettings, {**given, "snr_db": [[-20, 8]], **change}, "states", "states.")
