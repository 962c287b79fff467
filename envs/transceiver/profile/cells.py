"""Which cell of a profile a plan reads: it follows from the plan's stages. Light to import.

Quality depends on the steps that are done when the latent crosses its noisy link, and on what takes over then; not on
which end does what, nor on images, which are sent without error. So plans that differ in these alone share cells.

| stages after the text encoder | cell | of the plans |
|---|---|---|
| generator, decoder | the noise-free image | `edge_aigc`, `local_aigc`, `uieg_text` |
| generator, latent sent, decoder | split T of the configured receiver | `semaigc(T)`, `ciag_text` |
| generator, latent sent, fine-tuning network, decoder | split k of the configured receiver | `semaigc(k)` |
| fine-tuning network, decoder | split 0 of the configured receiver | `semaigc(0)` |
| generator, latent sent, generator again, decoder | split k of the receiver `rematch` | `euci(k)` |

EUCI's paper has no channel noise and so no receiver of its own: see `envs.transceiver.modules.GENERATOR_GOES_ON`.
"""

from __future__ import annotations

from dataclasses import dataclass

from envs.plans import Plan, Transmit
from envs.transceiver.execute import refusal
from envs.transceiver.modules import GENERATOR_GOES_ON


@dataclass(frozen=True)
class ProfileCell:
    """Where the quality of a plan stands in a profile.

    Attributes:
        receiver: name of the receiver.
        split: steps before the hand-over; None for the noise-free image, which is every receiver's.
    """

    receiver: str
    split: int | None


def measured_cell(plan: Plan, receiver: str) -> ProfileCell:
    """The cell of a plan.

    Args:
        plan: of one request.
        receiver: name of the configured receiver, the fine-tuning network's part.

    Raises:
        ValueError: a plan whose quality was not measured, with the reason.
    """
    if reason := refusal(plan):
        raise _unmeasured(plan, reason)
    split, done, goes_on = None, 0, receiver
    for stage in plan.stages:
        if isinstance(stage, Transmit):
            if stage.payload != "latent":
                continue
            if split is not None:
                raise _unmeasured(plan, "a latent crosses a link again, or behind a receiver")
            split = done
        elif stage.denoises:
            if stage.module == "unet" and split is not None:
                goes_on = GENERATOR_GOES_ON
            if stage.module == "finetune_unet" and split is None:
                if done:
                    raise _unmeasured(plan, "its fine-tuning network goes on with a latent that crossed no link")
                split = 0
            done += stage.steps
    return ProfileCell(goes_on, split)


def _unmeasured(plan: Plan, reason: str) -> ValueError:
    return ValueError(f"the quality of plan {plan.name} was not measured: {reason}")
