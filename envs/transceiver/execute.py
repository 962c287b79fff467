"""The second reading of a plan: the transceiver really runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envs.plans import Plan
from envs.transceiver.cell import measured_cell

if TYPE_CHECKING:
    from envs.transceiver.transceiver import Delivery, Transceiver


def execute(
    transceiver: Transceiver,
    plan: Plan,
    prompts: Sequence[str],
    seeds: Sequence[int],
    snr_db: Sequence[float],
    receiver: str,
    channel_seeds: Sequence[int],
) -> Delivery:
    """Run B requests by one plan.

    A plan that hands over a latent sends it over the noisy channel to the receiver. One that makes the whole
    image at a node (Edge and Local AIGC) delivers it without error, as the coded bits of its price are. Which
    receiver, and which plans cannot be run: `envs.transceiver.cell`.

    Args:
        transceiver: what generates.
        plan: its steps must be those of the transceiver.
        prompts, seeds, snr_db, channel_seeds: one a request.
        receiver: name of the receiver that takes over a latent, where the fine-tuning network does.

    Raises:
        ValueError: a plan of another number of steps or that cannot be run, or what `Transceiver.generate` refuses.
    """
    steps = transceiver.num_inference_steps
    if plan.num_inference_steps != steps:
        raise ValueError(f"{plan.name} takes {plan.num_inference_steps} steps, the transceiver {steps}")
    cell = measured_cell(plan, receiver)
    if cell.split is None:
        return transceiver.generate(prompts, seeds, split=steps, snr_db=None, receiver="ignore")
    return transceiver.generate(prompts, seeds, cell.split, list(snr_db), cell.receiver, list(channel_seeds))
