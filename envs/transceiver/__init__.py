"""The live split transceiver, its embedded model, and the quality profile measured with it.

Diffusers is imported only when a transceiver is loaded, so that training on a profile starts at once.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envs.channels import ChannelChoice, make_channel
from envs.transceiver.model.folders import networks_fingerprint, transceiver_fingerprint
from envs.transceiver.model.options import ModelOptions, on_hub
from envs.transceiver.profile.acceptance import ACCEPTANCE_RULES, Acceptance
from envs.transceiver.profile.cells import measured_requests
from envs.transceiver.profile.profile import SHIPPED_PROFILE, TEST, TRAIN, ProfilePart, QualityProfile, Request
from envs.transceiver.profile.table import METRICS, NOISE_FREE, PSNR_CAP_DB, QualityTable, TableKey

if TYPE_CHECKING:
    from envs.costs import Timed
    from envs.transceiver.codecs.latents import latent_codec
    from envs.transceiver.profile.image_metrics import metrics_against
    from envs.transceiver.profile.receiver_study import ReceiverStudy, study_receivers
    from envs.transceiver.transceiver import Transceiver

_LAZY = {
    "ReceiverStudy": "envs.transceiver.profile.receiver_study",
    "latent_codec": "envs.transceiver.codecs.latents",
    "metrics_against": "envs.transceiver.profile.image_metrics",
    "study_receivers": "envs.transceiver.profile.receiver_study",
}

__all__ = [
    "ACCEPTANCE_RULES",
    "METRICS",
    "NOISE_FREE",
    "PSNR_CAP_DB",
    "SHIPPED_PROFILE",
    "TEST",
    "TRAIN",
    "Acceptance",
    "ModelOptions",
    "ProfilePart",
    "QualityProfile",
    "QualityTable",
    "ReceiverStudy",
    "Request",
    "TableKey",
    "latent_codec",
    "load_transceiver",
    "measured_requests",
    "metrics_against",
    "networks_fingerprint",
    "on_hub",
    "study_receivers",
    "timed_costs",
    "transceiver_fingerprint",
]


def load_transceiver(
    path: str | Path | None = None,
    num_inference_steps: int = 20,
    guidance_scale: float | None = None,
    device: str = "cpu",
    channel: ChannelChoice = "awgn",
    **options: Any,
) -> Transceiver:
    """Load a split diffusion transceiver.

    Args:
        path: a folder in diffusers layout, `hub:owner/name` for the hub, or None for the embedded model.
        num_inference_steps: T.
        guidance_scale: classifier-free guidance; None takes the model's own.
        channel: the link: a name of `envs.channels.CHANNELS`, or a mapping of `name` and parameters.
        device: "cpu", "cuda", ...; "auto" is the GPU where there is one.
        options: the fields of `ModelOptions`: dtype, slicing, compile, the names of UNets, clip.

    Raises:
        ValueError: a missing or unreadable folder, parts that do not fit, a setting out of range, or a channel that
            is unknown or whose library is not installed.
    """
    from envs.transceiver.model.components import load_components
    from envs.transceiver.transceiver import Transceiver

    link = make_channel(channel)
    return Transceiver(
        load_components(path, device, ModelOptions.from_config(options)), num_inference_steps, guidance_scale, link
    )


def timed_costs(transceiver: Transceiver, receiver: str = "finetuned", **settings: Any) -> Timed:
    """Time a loaded model on this machine: the environment's `costs=measured`. See `envs.transceiver.model.timing`."""
    from envs.transceiver.model.timing import timed_costs as timed

    return timed(transceiver, receiver, **settings)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
