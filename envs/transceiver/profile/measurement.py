"""Measuring of quality by running the live transceiver, one receiver and split at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.transceiver.model.components import load_components
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import METRICS
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.receivers import receiver_named
from envs.transceiver.transceiver import Transceiver


class Measurement:
    """Runs one part (a receiver at a split) at a time on a transceiver.

    The edge's trajectories are computed once and branched at every split.
    """

    def __init__(self, params: MeasureParams) -> None:
        self.params = params
        components = load_components(params.model, params.device, params.options)
        components.needed_judge()
        self.transceiver = Transceiver(components, params.num_inference_steps, params.guidance_scale, params.channel)
        for name in params.receivers:
            components.network(receiver_named(name).network)
        self.requests = params.requests()
        self.prompts = [request.prompt for request in self.requests]
        self.seeds = [request.seed for request in self.requests]
        self.trajectory = torch.cat(
            [
                self.transceiver.trajectory([self.prompts[i] for i in rows], [self.seeds[i] for i in rows])
                for rows in self._batches(np.arange(len(self.requests)))
            ],
            dim=1,
        )
        self.reference_images = self.transceiver.decode(self.trajectory[-1])

    def reference(self) -> NDArray[np.float32]:
        """Metrics of the noise-free images, [M, R]."""
        return self._judge(self.reference_images, np.arange(len(self.requests)))

    def part(self, receiver: str, split: int) -> NDArray[np.float32]:
        """Metrics of one receiver at one split, [M, R, S, D]."""
        snrs, draws = np.asarray(self.params.snr_db), self.params.receivers[receiver]
        shape = (len(self.requests), len(snrs), draws)
        if split == 0:
            rows = [self._deliver(receiver, 0, index, None, None) for index in self._batches(np.arange(shape[0]))]
            values = np.concatenate(rows, axis=1)[:, :, None, None]
            return np.broadcast_to(values, (len(values), *shape)).copy()
        rows = []
        for flat in self._batches(np.arange(np.prod(shape))):
            request, snr, draw = np.unravel_index(flat, shape)
            rows.append(self._deliver(receiver, split, request, snrs[snr].tolist(), draw.tolist()))
        return np.concatenate(rows, axis=1).reshape(-1, *shape)

    def _deliver(
        self, receiver: str, split: int, request: NDArray, snr_db: list[float] | None, draws: list[int] | None
    ) -> NDArray[np.float32]:
        sent, prompts = self.trajectory[split, request], [self.prompts[i] for i in request]
        seeds = [self.seeds[i] for i in request]
        out = self.transceiver.deliver(sent, prompts, seeds, split, snr_db, receiver, draws)
        return self._judge(out.images, request)

    def _judge(self, images: Tensor, request: NDArray) -> NDArray[np.float32]:
        reference, prompts = self.reference_images[request], [self.prompts[i] for i in request]
        values = {
            "alignment": self.transceiver.alignment(images, prompts),
            "psnr_db": image_metrics.psnr_db(images, reference),
            "ssim": image_metrics.ssim(images, reference),
            "mse": image_metrics.mse(images, reference),
        }
        return np.stack([values[name].cpu().numpy() for name in METRICS])

    def _batches(self, rows: NDArray) -> Iterator[NDArray]:
        size = self.params.batch_size
        return (rows[start : start + size] for start in range(0, len(rows), size))
