"""Operations of Stable Diffusion v1-5 and of light UNets, counted from their architectures.

The file beside this module is written by `python -m envs count_operations` and recounted by a test, so
that reading it needs no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("operations.json")
LIGHT_MODELS = ("bk_sdm_base", "bk_sdm_small", "bk_sdm_tiny")
"""Light UNets that a receiver may run instead of the generator's."""


@dataclass(frozen=True)
class Operations:
    """What one forward of a module takes, for one image of 512 x 512.

    Attributes:
        flops: floating-point operations; an addition and a multiplication are two.
        parameters: number of weights.
    """

    flops: int
    parameters: int


@cache
def counted_operations() -> dict[str, Operations]:
    """Operations by name: `text_encoder`, `unet`, `vae_decoder`, `vae_encoder` and `LIGHT_MODELS`.

    A UNet's are those of one forward: a step with classifier-free guidance is two.
    """
    return {name: Operations(**values) for name, values in json.loads(FILE.read_text(encoding="utf-8")).items()}
