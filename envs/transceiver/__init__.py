"""The live split transceiver, its embedded model, and the quality profile measured with it.

Diffusers is imported only when a transceiver is loaded, so that training on a profile starts at once.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envs.transceiver.profile import QualityProfile, Request

if TYPE_CHECKING:
    from envs.transceiver.quality import image_quality
    from envs.transceiver.receiver_study import ReceiverStudy, study_receivers
    from envs.transceiver.transceiver import Transceiver

_LAZY = {
    "ReceiverStudy": "envs.transceiver.receiver_study",
    "image_quality": "envs.transceiver.quality",
    "study_receivers": "envs.transceiver.receiver_study",
}

__all__ = ["QualityProfile", "ReceiverStudy", "Request", "image_quality", "load_transceiver", "study_receivers"]


def load_transceiver(
    path: str | Path | None = None,
    num_inference_steps: int = 20,
    guidance_scale: float | None = None,
    device: str = "cpu",
) -> Transceiver:
    """Load a split diffusion transceiver.

    Args:
        path: a folder in diffusers layout, `hub:owner/name` for the hub, or None for the embedded model.
        num_inference_steps: T.
        guidance_scale: classifier-free guidance; None takes the model's own.
        device: "cpu", "cuda", ...

    Raises:
        ValueError: a missing or unreadable folder, parts that do not fit, or a setting out of range.
    """
    from envs.transceiver.components import load_components
    from envs.transceiver.transceiver import Transceiver

    return Transceiver(load_components(path, device), num_inference_steps, guidance_scale)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
