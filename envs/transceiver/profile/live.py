"""Quality of plans by really generating and measuring their images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from envs.plans import Plan
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import METRICS, Request

if TYPE_CHECKING:
    from torch import Tensor


class LiveQuality:
    """Generates requests under plans and measures the images against the noise-free ones.

    Args:
        requests: what may be asked for.
        plans: what may be chosen.
        receiver: the receiver of plans that hand over a latent.
        transceiver: what generates.

    Raises:
        ValueError: a transceiver without anything that judges alignment.
    """

    def __init__(self, requests: Sequence[Request], plans: Sequence[Plan], receiver: str, transceiver: Any) -> None:
        self._requests, self._plans, self._receiver = tuple(requests), tuple(plans), receiver
        self.transceiver = transceiver
        self.transceiver.components.needed_judge()
        self._references: dict[int, Tensor] = {}

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
        self._prepare_references(request)
        images: dict[int, Tensor] = {}
        alignment = np.empty(len(action))
        for index in np.unique(action):
            rows = np.flatnonzero(action == index)
            asked = [self._requests[i] for i in request[rows]]
            prompts, seeds = [r.prompt for r in asked], [r.seed for r in asked]
            delivery = self.transceiver.execute(
                self._plans[index],
                prompts=prompts,
                seeds=seeds,
                snr_db=snr_db[rows].tolist(),
                receiver=self._receiver,
                channel_seeds=draw[rows].tolist(),
            )
            if delivery.alignment is not None:
                alignment[rows] = delivery.alignment.cpu().numpy()
            images |= zip(rows.tolist(), delivery.images, strict=True)
        made = torch.stack([images[row] for row in range(len(action))])
        reference = torch.stack([self._references[int(i)] for i in request])
        values = {"alignment": alignment} | image_metrics.metrics_against(made, reference)
        return {name: values[name] for name in METRICS}, made.cpu().numpy()

    def _prepare_references(self, request: NDArray[np.integer]) -> None:
        if missing := [i for i in np.unique(request).tolist() if i not in self._references]:
            prompts, seeds = [self._requests[i].prompt for i in missing], [self._requests[i].seed for i in missing]
            states = self.transceiver.trajectory(prompts, seeds)
            self._references |= zip(missing, self.transceiver.decode(states[-1]), strict=True)
