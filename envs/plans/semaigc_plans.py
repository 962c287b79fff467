"""SemAIGC, its four benchmark frameworks, and two opponents more: the edge starts, the user may finish.

| scheme, with T denoising steps in all | stages |
|---|---|
| `semaigc(k)`, k > 0 | text encoder and k steps at the edge, latent sent, T - k steps and decoding at the user |
| `semaigc(0)` | text encoder, T steps and decoding at the user, nothing sent |
| `non_root` | `semaigc(T // 2)` |
| `non_finetuning` | `semaigc(T)`: the noisy latent is decoded as it is |
| `edge_aigc` | the whole generator at the edge, image sent |
| `local_aigc` | the whole generator at the user, nothing sent |
| `local_light_aigc` | a light network takes all steps at the user, nothing sent |
| `cloud_aigc` | the whole generator in the cloud, image sent to the edge by wire and on to the user |

Source: the SemAIGC paper, section III for the transceiver (its action a is `split`), section V for the four
benchmark frameworks; the last two are ours. SemAIGC's steps at the edge are the generator's, those at the user the
fine-tuning network's.
"""

from __future__ import annotations

from envs.checks import integer
from envs.plans.plan import NUM_INFERENCE_STEPS, Compute, Module, Node, Plan, Stage, Transmit


def semaigc(split: int, num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """SemAIGC: `split` steps at the edge, the rest at the user (0 <= split <= num_inference_steps).

    Raises:
        ValueError: a split outside that range, or no step at all.
    """
    total = integer("num_inference_steps", num_inference_steps, 1)
    split = integer("split", split, 0, total)
    stages: list[Stage] = [Compute("edge" if split else "user", "text_encoder")]
    if split:
        stages += [Compute("edge", "unet", split), Transmit("edge", "user", "latent")]
    if split < total:
        stages.append(Compute("user", "finetune_unet", total - split))
    stages.append(Compute("user", "vae_decoder"))
    return Plan(f"semaigc({split})", tuple(stages))


def non_root(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Non-ROOT: SemAIGC with half of the steps at either end, whatever the state."""
    return semaigc(integer("num_inference_steps", num_inference_steps, 1) // 2, num_inference_steps)


def non_finetuning(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Non-fine-tuning: all steps at the edge, the noisy latent is decoded as it is."""
    return semaigc(num_inference_steps, num_inference_steps)


def edge_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Edge AIGC, EUCI's edge-only: the edge makes the image and sends it."""
    stages: list[Stage] = [*_generator("edge", num_inference_steps), Transmit("edge", "user", "image")]
    return Plan("edge_aigc", tuple(stages))


def local_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """Local AIGC, EUCI's user-only: the user makes the image, nothing is sent."""
    return Plan("local_aigc", _generator("user", num_inference_steps))


def local_light_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """The user makes the image with the light fine-tuned network, nothing is sent."""
    return Plan("local_light_aigc", _generator("user", num_inference_steps, "finetune_light_unet"))


def cloud_aigc(num_inference_steps: int = NUM_INFERENCE_STEPS) -> Plan:
    """The cloud makes the image; the backhaul takes it to the edge, which sends it on."""
    sent = Transmit("cloud", "edge", "image"), Transmit("edge", "user", "image")
    return Plan("cloud_aigc", (*_generator("cloud", num_inference_steps), *sent))


def _generator(node: Node, total: int, denoiser: Module = "unet") -> tuple[Compute, ...]:
    return (
        Compute(node, "text_encoder"),
        Compute(node, denoiser, integer("num_inference_steps", total, 1)),
        Compute(node, "vae_decoder"),
    )
