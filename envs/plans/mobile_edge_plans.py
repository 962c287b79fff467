"""Mobile edge generation (MEG): seeds (latents) or sketches instead of images, from one edge server or several.

With one, the request is an image with a prompt (the paper's case study, text-guided image-to-image), or a prompt
alone, whose plans carry the suffix `_text`; text is free to send.

| protocol | reads the request | denoises | finishes | up | down |
|---|---|---|---|---|---|
| `full_ue` | user | user | user | nothing | nothing |
| `full_es` | edge | edge | edge | image | image |
| `uieg` | user | edge | edge | latent | image |
| `eiug` | edge | edge | user | image | latent |
| `ciag` | user | edge | user | latent | latent |
| `esuc` | edge | edge, down to a sketch | user, from the sketch | image | sketch |

Reading is the text encoder, and the image encoder of the autoencoder for an image; finishing is its decoder.

With several servers, side by side for variety or together for speed, the request is an image with a prompt. What the
user sends is broadcast to them; what they send comes back one after the other.

| protocol | each server | up | down | the user |
|---|---|---|---|---|
| `uidg(n)` | makes an image from the broadcast latent | latent | n images | encodes the request |
| `diug(n)` | makes a latent from the broadcast image | image | n latents | decodes all of them |
| `dsuc(n)` | makes a sketch from the broadcast image | image | n sketches | completes the one that is picked |
| `uidcg(n)` | makes its part of one image from its part of the latent | latent | parts of an image | encodes, merges |
| `dcsuc(n)` | makes its part of one sketch from the broadcast image | image | parts of a sketch | merges, completes |

A server's part of the work is 1 / n of it: own assumption, right for convolutions, whose work grows with the area.
Merging parts costs nothing.

Source: the MEG paper, sections II-C, III-B and III-C, figures 3, 4 and 6; the edge servers send "in sequence". It gives
no number of steps: all `num_inference_steps` are run.
For a prompt alone, `full_ue`, `full_es` and `eiug` are `local_aigc`, `edge_aigc` and `semaigc(T)`.
"""

from __future__ import annotations

from typing import Literal, get_args

from envs.checks import choice, integer
from envs.plans.plan import NUM_INFERENCE_STEPS, Compute, Module, Node, Payload, Plan, Stage, Transmit

RequestKind = Literal["image", "text"]


def full_ue(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """Full UE: the user does everything."""
    return _protocol("full_ue", request, "user", "user", "user", num_inference_steps)


def full_es(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """Full ES: the edge server does everything, images go both ways."""
    return _protocol("full_es", request, "edge", "edge", "edge", num_inference_steps)


def uieg(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """UE inference and edge generation: a latent up, an image down."""
    return _protocol("uieg", request, "user", "edge", "edge", num_inference_steps)


def eiug(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """Edge inference and UE generation: an image up, a latent down."""
    return _protocol("eiug", request, "edge", "edge", "user", num_inference_steps)


def ciag(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """Cooperative inference and generation: latents both ways."""
    return _protocol("ciag", request, "user", "edge", "user", num_inference_steps)


def esuc(num_inference_steps: int = NUM_INFERENCE_STEPS, request: RequestKind = "image") -> Plan:
    """Edge sketch and UE complete: an image up, a sketch down that the user completes."""
    _check(request)
    stages: list[Stage] = [
        *_sent(request, "edge", "edge"),
        Compute("edge", "unet", _steps(num_inference_steps)),
        Compute("edge", "sketch_decoder"),
        Transmit("edge", "user", "sketch"),
        Compute("user", "sketch_completer"),
    ]
    return Plan(_name("esuc", request), tuple(stages))


def _protocol(name: str, request: RequestKind, reads: Node, denoises: Node, decodes: Node, total: int) -> Plan:
    _check(request)
    stages = [*_sent(request, reads, denoises), Compute(denoises, "unet", _steps(total))]
    if denoises != decodes:
        stages.append(Transmit(denoises, decodes, "latent"))
    stages.append(Compute(decodes, "vae_decoder"))
    if decodes == "edge":
        stages.append(Transmit("edge", "user", "image"))
    return Plan(_name(name, request), tuple(stages))


def _sent(request: RequestKind, reads: Node, denoises: Node) -> list[Stage]:
    """The request read at a node, from the user's hand to where it is denoised."""
    if request == "text":
        return [Compute(reads, "text_encoder")]
    read: list[Stage] = [Compute(reads, "text_encoder"), Compute(reads, "vae_encoder")]
    if denoises == "user":
        return read
    payload: Payload = "image" if reads == "edge" else "latent"
    sent = Transmit("user", "edge", payload)
    return [sent, *read] if reads == "edge" else [*read, sent]


def _name(protocol: str, request: RequestKind) -> str:
    return protocol if request == "image" else f"{protocol}_text"


def _steps(total: int) -> int:
    return integer("num_inference_steps", total, 1)


def _check(request: RequestKind) -> None:
    choice("request", request, get_args(RequestKind))


def uidg(servers: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """UE inference, distributed generation: `servers` different images of one request."""
    stages = [*_seed_at_the_user(), *_generated(servers, num_inference_steps, "vae_decoder")]
    return Plan(f"uidg({servers})", (*stages, Transmit("edge", "user", "image", copies=servers)))


def diug(servers: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Distributed inference, UE generation: `servers` latents, each decoded by the user."""
    stages = [*_read_at_the_edges(servers), *_generated(servers, num_inference_steps)]
    decoded = [Compute("user", "vae_decoder")] * servers
    return Plan(f"diug({servers})", (*stages, Transmit("edge", "user", "latent", copies=servers), *decoded))


def dsuc(servers: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Distributed sketching, UE complete: `servers` sketches, of which the user completes one."""
    stages = [*_read_at_the_edges(servers), *_generated(servers, num_inference_steps, "sketch_decoder")]
    sent = Transmit("edge", "user", "sketch", copies=servers)
    return Plan(f"dsuc({servers})", (*stages, sent, Compute("user", "sketch_completer")))


def uidcg(servers: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """UE inference, distributed cooperative generation: `servers` parts of one image."""
    stages = [*_seed_at_the_user(), *_generated(servers, num_inference_steps, "vae_decoder", divided=True)]
    return Plan(f"uidcg({servers})", (*stages, Transmit("edge", "user", "image")))


def dcsuc(servers: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Distributed cooperative sketching, UE complete: `servers` parts of one sketch."""
    generated = _generated(servers, num_inference_steps, "sketch_decoder", divided=True)
    stages = [*_read_at_the_edges(servers), *generated, Transmit("edge", "user", "sketch")]
    return Plan(f"dcsuc({servers})", (*stages, Compute("user", "sketch_completer")))


def _seed_at_the_user() -> list[Stage]:
    read = [Compute("user", "text_encoder"), Compute("user", "vae_encoder")]
    return [*read, Transmit("user", "edge", "latent")]


def _read_at_the_edges(servers: int) -> list[Stage]:
    read: tuple[Module, ...] = ("text_encoder", "vae_encoder")
    integer("servers", servers, 1)
    return [Transmit("user", "edge", "image"), *(Compute("edge", module, nodes=servers) for module in read)]


def _generated(servers: int, total: int, decoder: Module | None = None, *, divided: bool = False) -> list[Stage]:
    integer("servers", servers, 1)
    stages: list[Stage] = [Compute("edge", "unet", _steps(total), servers, divided)]
    return stages if decoder is None else [*stages, Compute("edge", decoder, 1, servers, divided)]
