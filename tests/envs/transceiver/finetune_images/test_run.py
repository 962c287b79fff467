"""The whole fine-tuning in miniature: exact resumption, accumulation, averaging, export, images."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from envs.channels.noise import stream
from envs.command_line import Interrupted
from envs.transceiver import load_transceiver
from envs.transceiver.finetune_images.objective import NoiseAwareLoss
from envs.transceiver.finetune_images.run import Finetuning
from envs.transceiver.finetune_images.sample_order import Samples
from envs.transceiver.finetune_images.settings import FinetuneSettings
from envs.transceiver.model.vocabulary import UnknownWordsWarning

from .conftest import keys_of, write_images

Weights = dict[str, torch.Tensor]


def finetune(settings: FinetuneSettings) -> Path:
    return Finetuning(settings).run()


def trained(data: Path, model: Path, output: Path, **changes: object) -> Weights:
    """Weights that a run leaves, averaged, in single precision."""
    from accelerate.state import AcceleratorState, GradientState

    folder = finetune(FinetuneSettings.from_config(keys_of(data, model, output, **changes)))
    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    return load_file(folder / "diffusion_pytorch_model.safetensors")


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def close(one: Weights, other: Weights, tolerance: float) -> bool:
    return all(torch.allclose(one[name], other[name], atol=tolerance) for name in one)


@pytest.fixture(scope="module")
def whole(image_folder: Path, tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Weights]:
    """A run that nothing interrupted: its folder and its weights."""
    output = tmp_path_factory.mktemp("whole")
    return output, trained(image_folder, tiny_folder, output)


@pytest.fixture
def copied(whole: tuple[Path, Weights], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "run"))


def test_an_interrupted_run_goes_on_bit_for_bit(
    whole: tuple[Path, Weights],
    image_folder: Path,
    tiny_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passes, loss = [], NoiseAwareLoss.__call__

    def stopping(*arguments: object) -> torch.Tensor:
        passes.append(1)
        if len(passes) == 8:  # in the middle of the fourth step, two forward passes each
            raise KeyboardInterrupt
        return loss(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(NoiseAwareLoss, "__call__", stopping)
        with pytest.raises(Interrupted, match="interrupted after 3 steps; the same command goes on from step 2"):
            trained(image_folder, tiny_folder, tmp_path)
    assert [folder.name for folder in tmp_path.glob("checkpoint-*")] == ["checkpoint-00000002"]
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    assert equal(trained(image_folder, tiny_folder, tmp_path), whole[1])
    states = [load_file(folder / "checkpoint-00000004" / "model.safetensors") for folder in (whole[0], tmp_path)]
    assert equal(*states)


def test_another_seed_gives_another_network(
    whole: tuple[Path, Weights], image_folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    assert not close(trained(image_folder, tiny_folder, tmp_path, seed=1), whole[1], 1e-4)


def test_accumulated_parts_are_one_large_batch(
    whole: tuple[Path, Weights], image_folder: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    """To rounding: 4 steps of 1e-3 move a weight by up to 4e-3."""
    at_once = trained(image_folder, tiny_folder, tmp_path, batch_size=4, gradient_accumulation=1)
    assert close(at_once, whole[1], 5e-5)


def test_what_is_kept_is_the_average_of_the_weights(whole: tuple[Path, Weights], tiny_folder: Path) -> None:
    last = load_file(whole[0] / "checkpoint-00000004" / "model.safetensors")
    start = load_file(tiny_folder / "finetune_unet" / "diffusion_pytorch_model.safetensors")
    name = "conv_in.weight"
    assert not torch.equal(whole[1][name], last[name])
    assert not torch.equal(whole[1][name], start[name])


def test_the_trained_receiver_serves(whole: tuple[Path, Weights], tiny_folder: Path) -> None:
    model = load_transceiver(tiny_folder, 4, finetune_unet=str(whole[0] / "finetune_unet"))
    request = (["a red apple"], [1], 2, 0.0, "finetuned")
    before = load_transceiver(tiny_folder, 4).generate(*request).images
    assert not torch.equal(model.generate(*request).images, before)


def test_loss_and_images_are_in_tensorboard(whole: tuple[Path, Weights]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(whole[0] / "log"))
    log.Reload()
    assert [event.step for event in log.Scalars("loss")] == [1, 2, 3, 4]
    assert {"validation/perfect_link", "validation/finetune_unet"} <= set(log.Tags()["images"])
    assert log.Scalars("validation/psnr_db")[-1].step == 4


def test_unknown_words_of_all_captions_are_one_warning(tiny_folder: Path, tmp_path: Path) -> None:
    data = write_images(tmp_path / "images", ("a furry dog", "a blue car at midnight", "a red apple"))
    with pytest.warns(UnknownWordsWarning) as said:
        trained(data, tiny_folder, tmp_path / "run", steps=2)
    (text,) = (str(each.message) for each in said if each.category is UnknownWordsWarning)
    assert text.endswith("are left out of 2 of 4 prompts: furry, dog, midnight")


def test_files_have_the_modes_of_the_umask(image_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    umask = os.umask(0o027)
    try:
        trained(image_folder, tiny_folder, tmp_path / "run", steps=1)
    finally:
        os.umask(umask)
    files = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert {"average.safetensors", "model.safetensors", "diffusion_pytorch_model.safetensors"} <= {
        f.name for f in files
    }
    assert {f.name: oct(f.stat().st_mode & 0o777) for f in files} == {f.name: "0o640" for f in files}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_steps_that_were_done(
    number: signal.Signals,
    image_folder: Path,
    tiny_folder: Path,
    whole: tuple[Path, Weights],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    before, loss, passes = signal.signal(number, usual), NoiseAwareLoss.__call__, []

    def signalling(*arguments: object) -> torch.Tensor:
        passes.append(1)
        if len(passes) == 5:  # in the middle of the third step
            signal.raise_signal(number)
        return loss(*arguments)  # type: ignore[arg-type]

    try:
        with monkeypatch.context() as patch:
            patch.setattr(NoiseAwareLoss, "__call__", signalling)
            with pytest.raises(Interrupted, match="interrupted after 3 steps; the same command goes on from step 3"):
                trained(image_folder, tiny_folder, tmp_path)
    finally:
        signal.signal(number, before)
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(True)
    GradientState._reset_state()
    assert equal(trained(image_folder, tiny_folder, tmp_path), whole[1])


def test_it_learns(image_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    """The receiver comes nearer to the guided generator on the images it learns from."""
    output = tmp_path / "run"
    settings = FinetuneSettings.from_config(
        keys_of(image_folder, tiny_folder, output, steps=40, learning_rate=5e-3, checkpoint_every=100)
    )
    training = Finetuning(settings)

    def error() -> float:
        with torch.no_grad():
            parts = []
            samples = Samples(training.images, settings.seed)
            for position in range(1000, 1040):
                picture, caption, _ = samples[position]
                parts.append(training.loss(training.network, picture[None], [caption], [stream(0, position)]))
        return float(torch.stack(parts).mean())

    before = error()
    training.run()
    assert error() < 0.9 * before


def test_a_generator_in_mixed_precision(image_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    changes = {"part": "unet", "target": "noise", "mixed_precision": "bf16", "gradient_checkpointing": True}
    weights = trained(image_folder, tiny_folder, tmp_path, **changes, steps=2)
    assert {weight.dtype for weight in weights.values()} == {torch.float32}
    start = load_file(tiny_folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert not equal(weights, start)
    model = load_transceiver(tiny_folder, 4, unet=str(tmp_path / "unet"))
    assert model.generate(["a red apple"], [1], 4).images.isfinite().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 2e-3}, "was started otherwise: learning_rate 0.001 there and 0.002 here; give another"),
        ({"part": "unet", "target": "noise"}, "was started otherwise: part finetune_unet there and unet here"),
    ],
)
def test_a_run_that_was_started_otherwise_is_refused(
    copied: Path, image_folder: Path, tiny_folder: Path, change: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        trained(image_folder, tiny_folder, copied, **change)


def test_a_checkpoint_of_another_architecture_is_refused(copied: Path, image_folder: Path, tiny_folder: Path) -> None:
    header = copied / "checkpoint-00000004" / "run.json"
    told = json.loads(header.read_text())
    told["network"]["block_out_channels"] = [8, 32]
    header.write_text(json.dumps(told))
    with pytest.raises(
        ValueError, match=r"is of another architecture: block_out_channels \[8, 32\] there and \[8, 16\]"
    ):
        trained(image_folder, tiny_folder, copied)


def test_a_checkpoint_of_other_images_is_refused(copied: Path, tiny_folder: Path, tmp_path: Path) -> None:
    other = write_images(tmp_path / "other", ("a red apple", "a red car"))
    with pytest.raises(ValueError, match="was trained on other images or captions"):
        trained(other, tiny_folder, copied)


def test_a_unet_that_does_not_fit_the_model_is_refused(
    image_folder: Path, tiny_folder: Path, stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    from envs.transceiver.train_embedded import architecture

    from ..conftest import TINY_UNET

    architecture.new_unet(0, **{**TINY_UNET, "cross_attention_dim": 24}).save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match="attends to text of width 24"):
        trained(image_folder, tiny_folder, tmp_path / "run", init=str(tmp_path / "other"))


def test_stable_diffusion_trains_from_a_light_unet(
    image_folder: Path, stable_diffusion_folder: Path, tmp_path: Path
) -> None:
    light = load_file(stable_diffusion_folder / "light" / "unet" / "diffusion_pytorch_model.safetensors")
    model, start = stable_diffusion_folder / "model", str(stable_diffusion_folder / "light")
    weights = trained(image_folder, model, tmp_path, init=start, steps=1, gradient_accumulation=1, checkpoint_every=9)
    assert weights.keys() == light.keys()


@pytest.mark.skipif(torch.cuda.is_available(), reason="forks, which a process that uses a GPU cannot")
def test_two_processes_learn_what_one_does(image_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    from accelerate import debug_launcher

    two = keys_of(image_folder, tiny_folder, tmp_path / "two", gradient_accumulation=1)
    debug_launcher(finetune, (FinetuneSettings.from_config(two),), num_processes=2)
    header = json.loads((tmp_path / "two" / "checkpoint-00000004" / "run.json").read_text())
    assert header["settings"]["processes"] == 2
    weights = load_file(tmp_path / "two" / "finetune_unet" / "diffusion_pytorch_model.safetensors")
    assert close(weights, trained(image_folder, tiny_folder, tmp_path / "one", gradient_accumulation=2), 5e-5)
