"""Which cell of the measured quality a plan reads, and what the transceiver runs for it.

The transceiver makes an image from a prompt: some steps of the generator, a noisy latent handed over once, the rest of
the steps by a receiver. Quality depends on nothing else, not on which end does what: an image is sent without error.

| stages after the text encoder | cell | of the plans |
|---|---|---|
| generator, decoder | the noise-free image | `edge_aigc`, `local_aigc`, `uieg_text` |
| generator, latent sent, decoder | split T of the configured receiver | `semaigc(T)`, `ciag_text` |
| generator, latent sent, fine-tuning network, decoder | split k of the configured receiver | `semaigc(k)` |
| fine-tuning network, decoder | split 0 of the configured receiver | `semaigc(0)` |
| generator, latent sent, generator again, decoder | split k of the receiver `rematch` | `euci(k)` |

The generator's own weights go on with a received latent as `rematch` does: the best that needs no training. EUCI's
paper has no channel noise and so no receiver of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from envs.plans import Compute, Plan, Transmit

GENERATOR_GOES_ON = "rematch"


@dataclass(frozen=True)
class Cell:
    """Where the quality of a plan stands in a profile.

    Attributes:
        receiver: name of the receiver.
        split: steps before the hand-over; None for the noise-free image, which is every receiver's.
    """

    receiver: str
    split: int | None


def measured_cell(plan: Plan, receiver: str) -> Cell:
    """The cell of a plan.

    Args:
        plan: of one request.
        receiver: name of the configured receiver, the fine-tuning network's part.

    Raises:
        ValueError: a plan whose quality the transceiver cannot measure, with the reason.
    """
    if reason := _unmeasured(plan):
        raise ValueError(f"nobody has measured the quality of plan {plan.name}: {reason}")
    generator_twice = sum(isinstance(stage, Compute) and stage.module == "unet" for stage in plan.stages) == 2
    return Cell(GENERATOR_GOES_ON if generator_twice else receiver, plan.split)


def _unmeasured(plan: Plan) -> str:
    """Why a plan has no cell; empty if it has one."""
    if plan.requests > 1:
        return f"it serves {plan.requests} different prompts from shared steps"
    if any((stage.copies if isinstance(stage, Transmit) else stage.nodes) > 1 for stage in plan.stages):
        return "several nodes work on its request"
    if any(isinstance(stage, Transmit) and stage.sends_weights for stage in plan.stages):
        return "it sends weights, which stay there: the requests that follow are those of the plan without"
    kinds = [stage.payload if isinstance(stage, Transmit) else stage.module for stage in plan.stages]
    if "vae_encoder" in kinds:
        return "its request is an image, those that were measured are prompts"
    if "sketch" in kinds:
        return "the transceiver has no sketches"
    match [kind for kind in kinds if kind != "text_encoder"]:
        case ["unet" | "finetune_unet", "vae_decoder", *rest]:
            pass
        case ["unet", "latent", "vae_decoder", *rest]:
            pass
        case ["unet", "latent", "unet" | "finetune_unet", "vae_decoder", *rest]:
            pass
        case other:
            return f"the transceiver runs no such chain as {', '.join(other)}"
    return "" if rest in ([], ["image"]) else f"after decoding it goes on with {', '.join(rest)}"
