"""The CLIP score agrees with transformers' own model and preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPModel, CLIPTokenizer

from envs.transceiver import load_transceiver
from envs.transceiver.model.clip_score import MEAN, STD, ClipScore

TEXTS = ["a dog", "red apple", "the sea", "a dog"]


def pictures(height: int, width: int) -> torch.Tensor:
    smooth = torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(smooth, (height, width), mode="bilinear")


@pytest.mark.parametrize(("height", "width"), [(32, 32), (128, 128), (96, 144)])
def test_it_is_the_published_formula(stable_diffusion_folder: Path, height: int, width: int) -> None:
    """Against PIL's bicubic and transformers' logits; 0.02 covers PIL's rounding to 8 bits."""
    images, folder = pictures(height, width), stable_diffusion_folder / "clip"
    model, tokenizer = CLIPModel.from_pretrained(folder).eval(), CLIPTokenizer.from_pretrained(folder)
    pixels = []
    for image in images:
        picture = Image.fromarray((image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        side = min(picture.size)
        picture = picture.resize((round(width * 32 / side), round(height * 32 / side)), Image.Resampling.BICUBIC)
        left, top = (picture.width - 32) // 2, (picture.height - 32) // 2
        values = np.asarray(picture.crop((left, top, left + 32, top + 32)), dtype=np.float32) / 255
        pixels.append(torch.from_numpy((values - np.array(MEAN)) / np.array(STD)).permute(2, 0, 1).float())
    with torch.no_grad():
        told = model(pixel_values=torch.stack(pixels), **tokenizer(TEXTS, padding=True, return_tensors="pt"))
    cosine = torch.diagonal(told.logits_per_image) / model.logit_scale.exp().detach()
    score = ClipScore.load(folder).alignment(images, TEXTS)
    assert torch.allclose(score, 2.5 * cosine.clamp(min=0), atol=0.02)
    assert (score > 0.05).all()


def test_a_transceiver_judges_with_it(stable_diffusion_folder: Path) -> None:
    clip = str(stable_diffusion_folder / "clip")
    model = load_transceiver(stable_diffusion_folder / "model", 2, clip=clip)
    out = model.generate(["a dog"], [1], 1)
    assert out.alignment is not None
    assert torch.equal(out.alignment, ClipScore.load(Path(clip)).alignment(out.images, ["a dog"]))


def test_another_model_is_refused(stable_diffusion_folder: Path) -> None:
    with pytest.raises(ValueError, match="holds a clip_text_model model: the CLIP score needs a folder of"):
        ClipScore.load(stable_diffusion_folder / "model" / "text_encoder")
