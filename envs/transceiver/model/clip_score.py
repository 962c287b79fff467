"""The CLIP score: prompt alignment of any picture with any text, where there is no classifier of scenes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, interpolate
from transformers import CLIPModel, CLIPTokenizer

from envs.transceiver.model.folders import check_clip
from envs.transceiver.model.loading import read_network, read_tokenizer

WEIGHT = 2.5
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP was trained on; a folder's preprocessor_config.json may say otherwise."""


class ClipScore(nn.Module):
    """Alignment as 2.5 max(cos, 0) of CLIP's picture and text embeddings (Hessel et al. 2021, eq. 1).

    It is not a probability: set `acceptance` to what is good enough on its scale, as `{metric: alignment, least: 0.6}`.

    Args:
        model: a CLIP model with projections.
        tokenizer: its tokenizer.
        mean, std: of its pictures, one a colour channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, model: CLIPModel, tokenizer: CLIPTokenizer, mean: Sequence[float] = MEAN, std: Sequence[float] = STD
    ) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    @classmethod
    def load(cls, folder: Path) -> ClipScore:
        """A score in single precision, from a folder of transformers' CLIPModel with its tokenizer.

        Raises:
            ValueError: another model, or files that cannot be read.
        """
        check_clip(folder)
        said = folder / "preprocessor_config.json"
        pictures = json.loads(said.read_text(encoding="utf-8")) if said.is_file() else {}
        return cls(
            read_network(CLIPModel, folder, torch.float32),
            read_tokenizer(folder),
            pictures.get("image_mean", MEAN),
            pictures.get("image_std", STD),
        )

    @torch.no_grad()
    def alignment(self, images: Tensor, prompts: Sequence[str]) -> Tensor:
        """The score of each picture with its prompt, float32 [B], for images [B, 3, H, W] in [0, 1]."""
        unique = list(dict.fromkeys(prompts))
        rows = [unique.index(prompt) for prompt in prompts]
        return WEIGHT * cosine_similarity(self._see(images), self._read(unique)[rows]).clamp(min=0)

    def _see(self, images: Tensor) -> Tensor:
        size = self.model.config.vision_config.image_size
        height, width = images.shape[-2:]
        scale = size / min(height, width)
        shape = (max(size, round(height * scale)), max(size, round(width * scale)))
        fitted = interpolate(images.float(), shape, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
        top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
        pixels = (fitted[..., top : top + size, left : left + size] - self.mean) / self.std
        return self.model.visual_projection(self.model.vision_model(pixel_values=pixels).pooler_output)

    def _read(self, prompts: Sequence[str]) -> Tensor:
        tokens = self.tokenizer(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self.mean.device)
        text = self.model.text_model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        return self.model.text_projection(text.pooler_output)
