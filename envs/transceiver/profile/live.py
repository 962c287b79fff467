"""Quality of plans by really generating and measuring their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from envs.plans import Plan
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import Request
from envs.transceiver.profile.table import METRICS

if TYPE_CHECKING:
    from torch import Tensor


class LiveQuality:
    """Generates requests under plans and measures the images against the noise-free ones.

    Args:
        requests: what may be asked for.
        plans: what may be chosen.
        receiver: the receiver of plans that hand over a latent.
        transceiver: what generates.
        is_noisy: whether latents without a codec meet the channel's noise; else the link is perfect.

    Raises:
        ValueError: a transceiver without anything that judges alignment.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        plans: Sequence[Plan],
        receiver: str,
        transceiver: Any,
        is_noisy: bool = True,
    ) -> None:
        self._requests, self._plans, self._receiver = tuple(requests), tuple(plans), receiver
        self.transceiver, self._is_noisy = transceiver, is_noisy
        self.transceiver.components.needed_judge()
        self._references: dict[tuple[int, int], Tensor] = {}  # (T, request) -> image

    def measure(
        self,
        action: NDArray[np.integer],
        request: NDArray[np.integer],
        snr_db: NDArray[np.float64],
        draw: NDArray[np.integer],
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
        """One attempt for each of M requests.

        Args:
            action: index of the plan, [M].
            request: index of the request, [M].
            snr_db: SNR of the link in dB, [M].
            draw: channel draw, the same that the profile numbers so, [M].

        Returns:
            (metric -> float64 [M], images float32 [M, 3, H, W] in [0, 1]).
        """
        images: dict[int, Tensor] = {}
        alignment = np.empty(len(action))
        for index in np.unique(action):
            rows = np.flatnonzero(action == index)
            plan = self._plans[index]
            transceiver = self.transceiver.with_steps(plan.num_inference_steps)
            self._prepare_references(transceiver, request[rows])
            asked = [self._requests[i] for i in request[rows]]
            prompts, seeds = [r.prompt for r in asked], [r.seed for r in asked]
            delivery = transceiver.execute(
                plan,
                prompts=prompts,
                seeds=seeds,
                snr_db=snr_db[rows].tolist() if self._is_noisy else None,
                receiver=self._receiver,
                channel_seeds=draw[rows].tolist(),
            )
            if delivery.alignment is not None:
                alignment[rows] = delivery.alignment.cpu().numpy()
            images |= zip(rows.tolist(), delivery.images, strict=True)
        made = torch.stack([images[row] for row in range(len(action))])
        steps = [self._plans[index].num_inference_steps for index in action]
        reference = torch.stack([self._references[each] for each in zip(steps, request.tolist(), strict=True)])
        values = {"alignment": alignment} | image_metrics.metrics_against(made, reference)
        return {name: values[name] for name in METRICS}, made.cpu().numpy()

    def _prepare_references(self, transceiver: Any, request: NDArray[np.integer]) -> None:
        steps = transceiver.num_inference_steps
        if missing := [i for i in np.unique(request).tolist() if (steps, i) not in self._references]:
            prompts, seeds = [self._requests[i].prompt for i in missing], [self._requests[i].seed for i in missing]
            images = transceiver.decode(transceiver.trajectory(prompts, seeds)[-1])
            self._references |= zip([(steps, i) for i in missing], images, strict=True)
