"""Weights of Stable Diffusion's class: the same pictures as diffusers' own pipeline, and what may stand in."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from envs.transceiver import load_transceiver
from envs.transceiver.model.loading import quietly
from envs.transceiver.transceiver import Transceiver

PROMPTS = ["a dog", "red apple"]
SEEDS = [1, 2]
STEPS = 5


@pytest.fixture(scope="module")
def loaded(stable_diffusion_folder: Path) -> Transceiver:
    return load_transceiver(stable_diffusion_folder / "model", STEPS, 7.5)


@pytest.fixture
def copied(stable_diffusion_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stable_diffusion_folder / "model", tmp_path / "model"))


def stock_images(transceiver: Transceiver, scheduler: DDIMScheduler) -> torch.Tensor:
    """What diffusers' pipeline makes of the same networks, prompts and initial noise."""
    with warnings.catch_warnings(), quietly():
        warnings.simplefilter("ignore")
        from diffusers import StableDiffusionPipeline

        parts = transceiver.components
        pipeline = StableDiffusionPipeline(
            parts.vae, parts.text_encoder, parts.tokenizer, parts.unet, scheduler, None, None, None, False
        )
        pipeline.set_progress_bar_config(disable=True)
        latents = transceiver.initial_latents(SEEDS)
        return pipeline(PROMPTS, None, None, STEPS, guidance_scale=7.5, latents=latents, output_type="pt").images


@pytest.mark.parametrize("split", [0, 3, 5])
def test_over_a_perfect_link_the_pictures_are_those_of_the_stock_pipeline(loaded: Transceiver, split: int) -> None:
    stock = stock_images(loaded, loaded.components.scheduler)
    assert (loaded.generate(PROMPTS, SEEDS, split).images - stock).abs().max() < 1e-4
    assert stock.std() > 0.05  # not a grey that anything would equal


def test_a_network_that_predicts_velocity_serves_too(copied: Path) -> None:
    config = copied / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"prediction_type": "v_prediction"}))
    velocity = load_transceiver(copied, STEPS, 7.5)
    stock = stock_images(velocity, velocity.components.scheduler)
    assert (velocity.generate(PROMPTS, SEEDS, 3).images - stock).abs().max() < 1e-4
    noisy = velocity.generate(PROMPTS, SEEDS, 3, snr_db=0.0, receiver="rematch")
    assert noisy.images.isfinite().all()


def test_half_precision_gives_nearly_the_same_and_keeps_latents_single(
    loaded: Transceiver, stable_diffusion_folder: Path
) -> None:
    half = load_transceiver(stable_diffusion_folder / "model", STEPS, 7.5, dtype="float16")
    assert {half.components.unet.dtype, half.components.vae.dtype} == {torch.float16}
    delivery = half.generate(PROMPTS, SEEDS, 3, snr_db=6.0)
    assert delivery.latents_received.dtype == delivery.images.dtype == torch.float32
    whole = loaded.generate(PROMPTS, SEEDS, 3, snr_db=6.0).images
    difference = (delivery.images - whole).abs().max()
    assert 0 < difference < 0.02  # measured 0.004


def test_slicing_changes_the_memory_and_not_the_picture(loaded: Transceiver, stable_diffusion_folder: Path) -> None:
    sliced = load_transceiver(stable_diffusion_folder / "model", STEPS, 7.5, slicing="auto")
    kinds = {type(processor).__name__ for processor in sliced.components.unet.attn_processors.values()}
    assert kinds == {"SlicedAttnProcessor"}
    assert sliced.components.vae.use_slicing
    assert not loaded.components.vae.use_slicing
    images = sliced.generate(PROMPTS, SEEDS, 3).images
    assert (images - loaded.generate(PROMPTS, SEEDS, 3).images).abs().max() < 1e-4


def test_a_lighter_unet_is_the_light_receiver(loaded: Transceiver, stable_diffusion_folder: Path) -> None:
    light = load_transceiver(
        stable_diffusion_folder / "model", STEPS, 7.5, light_unet=str(stable_diffusion_folder / "light")
    )
    own, other = light.components.unet, light.components.light_unet
    assert other is not None
    assert sum(p.numel() for p in other.parameters()) < sum(p.numel() for p in own.parameters())
    assert light.fingerprint["weights"] != loaded.fingerprint["weights"]
    images = light.generate(PROMPTS, SEEDS, 3, snr_db=0.0, receiver="rematch_light").images
    assert not torch.equal(images, light.generate(PROMPTS, SEEDS, 3, snr_db=0.0, receiver="rematch").images)


def adapter_to(unet_folder: Path, folder: Path, scale: float = 1.0) -> dict[str, torch.Tensor]:
    """Write a LoRA adapter of rank 2 to the queries of a UNet; what it adds to each weight."""
    peft = pytest.importorskip("peft")
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft.utils import get_peft_model_state_dict

    unet = UNet2DConditionModel.from_pretrained(unet_folder)
    unet.add_adapter(peft.LoraConfig(r=2, lora_alpha=4, target_modules=["to_q"], init_lora_weights="gaussian"))
    generator = torch.Generator().manual_seed(0)
    added = {}
    for name, module in unet.named_modules():
        if hasattr(module, "lora_B"):
            down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
            up.data = scale * torch.randn(up.shape, generator=generator)
            added[f"{name}.weight"] = 2 * up.detach() @ down.detach()  # lora_alpha / r = 2
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    meta = {"unet_lora_adapter_metadata": unet.peft_config["default"].to_dict()}
    StableDiffusionPipeline.save_lora_weights(folder, layers, safe_serialization=True, **meta)
    return added


@pytest.mark.filterwarnings("ignore")
def test_a_lora_adapter_is_merged_into_a_copy_of_the_generator(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    added = adapter_to(stable_diffusion_folder / "model" / "unet", tmp_path / "adapter")
    model = load_transceiver(stable_diffusion_folder / "model", STEPS, 7.5, finetune_unet=str(tmp_path / "adapter"))
    own, merged = model.components.unet.state_dict(), model.components.finetune_unet.state_dict()
    assert own.keys() == merged.keys()
    assert added
    for name, weight in own.items():
        assert torch.allclose(merged[name], weight + added.get(name, 0), atol=1e-5)
    assert model.generate(PROMPTS, SEEDS, 3, snr_db=0.0, receiver="finetuned").images.isfinite().all()


@pytest.mark.filterwarnings("ignore")
def test_an_adapter_to_another_network_is_refused(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    adapter_to(stable_diffusion_folder / "model" / "unet", tmp_path / "adapter")
    light = str(stable_diffusion_folder / "light")
    with pytest.raises(ValueError, match="does not belong to the generator's UNet, which has no "):
        load_transceiver(stable_diffusion_folder / "model", STEPS, unet=light, finetune_unet=str(tmp_path / "adapter"))


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("model_index.json", {"_class_name": "StableDiffusionXLPipeline"}, "another architecture .StableDiffusionXL"),
        (
            "unet/config.json",
            {"_class_name": "SD3Transformer2DModel"},
            "holds a SD3Transformer2DModel, expected a UNet",
        ),
        ("unet/config.json", {"addition_embed_type": "text"}, "another architecture, conditioned by addition"),
        ("unet/config.json", {"layers_per_block": 3}, "cannot be read: .* for UNet2DConditionModel"),
        ("unet/config.json", {"layers_per_block": 1}, "cannot be read: .* for UNet2DConditionModel"),
        ("text_encoder/config.json", {"model_type": "t5"}, "is a t5 model, expected a CLIP text model"),
        ("vae/config.json", {"shift_factor": 0.1}, "shifts its latents"),
    ],
)
def test_another_architecture_is_refused_in_one_sentence(copied: Path, file: str, change: dict, message: str) -> None:
    config = copied / file
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(ValueError, match=message) as refused:
        load_transceiver(copied)
    assert "\n" not in str(refused.value)


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v1-5-pruned.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="must be a folder in diffusers layout, .*v1-5-pruned.safetensors is a file"):
        load_transceiver(tmp_path / "v1-5-pruned.safetensors")


@pytest.mark.parametrize("option", [{}, {"unet": "owner/unet"}, {"clip": "owner/clip"}, {"finetune_unet": "absent"}])
def test_a_bare_name_never_reaches_the_network(
    option: dict[str, str], stable_diffusion_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setattr("socket.socket.connect", no_network)
    path = stable_diffusion_folder / "model" if option else "owner/model"
    with pytest.raises(ValueError, match="no weights folder at .*hub:owner/name"):
        load_transceiver(path, **option)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"dtype": "float8"}, "unknown dtype 'float8'; allowed: float32, float16, bfloat16, auto"),
        ({"slicing": "some"}, "unknown slicing 'some'; allowed: True, False, auto"),
        ({"compile": "yes"}, "compile must be true or false, got 'yes'"),
        ({"lora": "x"}, "unknown keys in the model's options: lora; allowed: dtype"),
    ],
)
def test_unknown_options_are_refused(option: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_transceiver(**option)


def test_without_a_judge_alignment_is_refused_and_images_come(loaded: Transceiver) -> None:
    delivery = loaded.generate(PROMPTS, SEEDS, STEPS)
    assert delivery.alignment is None
    with pytest.raises(ValueError, match=r"has no classifier.*name a CLIP model's folder \(clip=FOLDER\)"):
        loaded.components.needed_judge().alignment(delivery.images, PROMPTS)
