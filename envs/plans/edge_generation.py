"""Mobile edge generation (MEG) with one edge server: seeds (latents) or sketches instead of images.

The request is an image with a prompt (the paper's case study, text-guided image-to-image), or a prompt alone, whose
plans carry the suffix `_text`; text is free to send.

| protocol | reads the request | denoises | finishes | up | down |
|---|---|---|---|---|---|
| `full_ue` | user | user | user | nothing | nothing |
| `full_es` | edge | edge | edge | image | image |
| `uieg` | user | edge | edge | latent | image |
| `eiug` | edge | edge | user | image | latent |
| `ciag` | user | edge | user | latent | latent |
| `esuc` | edge | edge, down to a sketch | user, from the sketch | image | sketch |

Reading is the text encoder, and the image encoder of the autoencoder for an image; finishing is its decoder.

Source: the MEG paper, section II-C, figures 4 and 6. It gives no number of steps: all `num_inference_steps` are run.
For a prompt alone, `full_ue`, `full_es` and `eiug` are `local_aigc`, `edge_aigc` and `semaigc(T)`.
"""

from __future__ import annotations

from typing import Literal

from envs.plans.plan import Plan
from envs.plans.stages import (
    NUM_INFERENCE_STEPS,
    Compute,
    Payload,
    Stage,
    Transmit,
    Worker,
    check_choice,
    total_steps,
)

Request = Literal["image", "text"]


def full_ue(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """Full UE: the user does everything."""
    return _protocol("full_ue", request, "user", "user", "user", num_inference_steps)


def full_es(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """Full ES: the edge server does everything, images go both ways."""
    return _protocol("full_es", request, "edge", "edge", "edge", num_inference_steps)


def uieg(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """UE inference and edge generation: a latent up, an image down."""
    return _protocol("uieg", request, "user", "edge", "edge", num_inference_steps)


def eiug(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """Edge inference and UE generation: an image up, a latent down."""
    return _protocol("eiug", request, "edge", "edge", "user", num_inference_steps)


def ciag(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """Cooperative inference and generation: latents both ways."""
    return _protocol("ciag", request, "user", "edge", "user", num_inference_steps)


def esuc(num_inference_steps: int = NUM_INFERENCE_STEPS, request: Request = "image") -> Plan:
    """Edge sketch and UE complete: an image up, a sketch down that the user completes."""
    _check(request)
    stages: list[Stage] = [
        *_sent(request, "edge", "edge"),
        Compute("edge", "unet", total_steps(num_inference_steps)),
        Compute("edge", "sketch_decoder"),
        Transmit("edge", "user", "sketch"),
        Compute("user", "sketch_completer"),
    ]
    return Plan(_name("esuc", request), tuple(stages))


def _protocol(name: str, request: Request, reads: Worker, denoises: Worker, decodes: Worker, total: int) -> Plan:
    _check(request)
    stages = [*_sent(request, reads, denoises), Compute(denoises, "unet", total_steps(total))]
    if denoises != decodes:
        stages.append(Transmit(denoises, decodes, "latent"))
    stages.append(Compute(decodes, "vae_decoder"))
    if decodes == "edge":
        stages.append(Transmit("edge", "user", "image"))
    return Plan(_name(name, request), tuple(stages))


def _sent(request: Request, reads: Worker, denoises: Worker) -> list[Stage]:
    """The request read at a node, from the user's hand to where it is denoised."""
    if request == "text":
        return [Compute(reads, "text_encoder")]
    read: list[Stage] = [Compute(reads, "text_encoder"), Compute(reads, "vae_encoder")]
    if denoises == "user":
        return read
    payload: Payload = "image" if reads == "edge" else "latent"
    sent = Transmit("user", "edge", payload)
    return [sent, *read] if reads == "edge" else [*read, sent]


def _name(protocol: str, request: Request) -> str:
    return protocol if request == "image" else f"{protocol}_text"


def _check(request: Request) -> None:
    check_choice("request", request, ("image", "text"))
