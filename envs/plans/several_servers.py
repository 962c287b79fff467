"""Mobile edge generation (MEG) with several edge servers: side by side for variety, or together for speed.

The request is an image with a prompt. What the user sends is broadcast to the servers; what they send comes back one
after the other.

| protocol | each server | up | down | the user |
|---|---|---|---|---|
| `uidg(n)` | makes an image from the broadcast latent | latent | n images | encodes the request |
| `diug(n)` | makes a latent from the broadcast image | image | n latents | decodes all of them |
| `dsuc(n)` | makes a sketch from the broadcast image | image | n sketches | completes the one that is picked |
| `uidcg(n)` | makes its part of one image from its part of the latent | latent | parts of an image | encodes, merges |
| `dcsuc(n)` | makes its part of one sketch from the broadcast image | image | parts of a sketch | merges, completes |

A server's part of the work is 1 / n of it: own assumption, right for convolutions, whose work grows with the area.
Merging parts costs nothing.

Source: the MEG paper, sections III-B and III-C, figure 3; the edge servers send "in sequence".
"""

from __future__ import annotations

from envs.plans.plan import Plan
from envs.plans.stages import NUM_INFERENCE_STEPS, Compute, Module, Stage, Transmit, count, total_steps


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
    servers = count("servers", servers)
    return [Transmit("user", "edge", "image"), *(Compute("edge", module, nodes=servers) for module in read)]


def _generated(servers: int, total: int, decoder: Module | None = None, *, divided: bool = False) -> list[Stage]:
    servers = count("servers", servers)
    stages: list[Stage] = [Compute("edge", "unet", total_steps(total), servers, divided)]
    return stages if decoder is None else [*stages, Compute("edge", decoder, 1, servers, divided)]
