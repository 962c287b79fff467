"""The second reading of a plan: the transceiver really runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from envs.plans import Plan

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
    image at a node (Edge and Local AIGC) delivers it without error, as the coded bits of its price are.

    Args:
        transceiver: what generates.
        plan: its steps must be those of the transceiver.
        prompts, seeds, snr_db, channel_seeds: one a request.
        receiver: name of the receiver that takes over a latent.

    Raises:
        ValueError: a plan of another number of steps, or what `Transceiver.generate` refuses.
    """
    steps = transceiver.num_inference_steps
    if plan.num_inference_steps != steps:
        raise ValueError(f"{plan.name} takes {plan.num_inference_steps} steps, the transceiver {steps}")
    if plan.split is None:
        return transceiver.generate(prompts, seeds, split=steps, snr_db=None, receiver="ignore")
    return transceiver.generate(prompts, seeds, plan.split, list(snr_db), receiver, list(channel_seeds))
