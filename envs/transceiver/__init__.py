"""The live split transceiver, its embedded model, and the quality profile measured with it.

Diffusers is imported only when a transceiver is loaded, so that training on a profile starts at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from envs.transceiver.options import ModelOptions
from envs.transceiver.profile import QualityProfile, Request

if TYPE_CHECKING:
    from envs.transceiver.transceiver import Transceiver

__all__ = ["ModelOptions", "QualityProfile", "Request", "load_transceiver"]


def load_transceiver(
    path: str | Path | None = None,
    num_inference_steps: int = 20,
    guidance_scale: float | None = None,
    device: str = "cpu",
    **options: Any,
) -> Transceiver:
    """Load a split diffusion transceiver.

    Args:
        path: a folder in diffusers layout, `hub:owner/name` for the hub, or None for the embedded model.
        num_inference_steps: T.
        guidance_scale: classifier-free guidance; None takes the model's own.
        device: "cpu", "cuda", ...; "auto" is the GPU where there is one.
        options: the fields of `ModelOptions`: dtype, slicing, unet, light_unet, finetune_unet, clip.

    Raises:
        ValueError: a missing or unreadable folder, parts that do not fit, or a setting out of range.
    """
    from envs.transceiver.components import load_components
    from envs.transceiver.transceiver import Transceiver

    components = load_components(path, device, ModelOptions.of(options))
    return Transceiver(components, num_inference_steps, guidance_scale)
