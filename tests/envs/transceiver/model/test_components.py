"""Loading from folders in diffusers layout, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from envs.transceiver import load_transceiver
from envs.transceiver.transceiver import Transceiver


def test_a_saved_model_generates_the_same(tiny: Transceiver, tiny_folder: Path) -> None:
    loaded = load_transceiver(tiny_folder, num_inference_steps=10, guidance_scale=3.0)
    request = (["a red apple on a table"], [3], 5, 0.0)
    torch.testing.assert_close(loaded.generate(*request).images, tiny.generate(*request).images, rtol=0, atol=1e-5)


def test_a_missing_folder_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setattr("socket.socket.connect", no_network)
    with pytest.raises(ValueError, match="no weights folder at"):
        load_transceiver(tmp_path / "absent")


def test_an_incomplete_folder_names_what_is_missing(tiny_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_folder / "unet", tmp_path / "model" / "unet")
    with pytest.raises(ValueError, match="lacks vae, text_encoder, tokenizer, scheduler"):
        load_transceiver(tmp_path / "model")


def test_weights_whose_shape_does_not_fit_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    file = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["conv_in.weight"] = weights["conv_in.weight"][:, :3].contiguous()
    save_file(weights, file)
    with pytest.raises(ValueError, match="cannot be read"):
        load_transceiver(model)


def test_parts_that_do_not_fit_each_other_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    from envs.transceiver.train_embedded import architecture

    from ..conftest import TINY_UNET

    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shutil.rmtree(model / "finetune_unet")
    architecture.new_unet(0, **{**TINY_UNET, "cross_attention_dim": 24}).save_pretrained(model / "finetune_unet")
    with pytest.raises(ValueError, match="finetune_unet attends to text of width 24, the text encoder .* gives 16"):
        load_transceiver(model)


def test_a_cut_file_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    file = model / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be read"):
        load_transceiver(model)


def test_a_receiver_without_its_network_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    shutil.rmtree(model / "finetune_unet")
    loaded = load_transceiver(model, num_inference_steps=4)
    with pytest.raises(ValueError, match="has no finetune_unet"):
        loaded.generate(["a red apple"], [1], 2, 0.0, receiver="finetuned")


def test_the_fingerprint_follows_the_weights(tiny_folder: Path, tmp_path: Path) -> None:
    from envs.transceiver.model.components import model_fingerprint

    model = Path(shutil.copytree(tiny_folder, tmp_path / "model"))
    assert model_fingerprint(model) == model_fingerprint(tiny_folder)
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "beta_end": 0.02}))
    assert model_fingerprint(model) != model_fingerprint(tiny_folder)


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler")
def test_compiled_networks_give_the_same_images_at_every_split(tiny_folder: Path) -> None:
    request = (["a red apple on a table"], [3])
    plain, fast = (load_transceiver(tiny_folder, 4, compile=compiled) for compiled in (False, True))
    unsplit = fast.generate(*request, 4).images
    torch.testing.assert_close(unsplit, plain.generate(*request, 4).images, rtol=0, atol=1e-4)
    assert torch.equal(unsplit, fast.generate(*request, 2).images)
