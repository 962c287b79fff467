"""Measuring of quality by running the live transceiver, one receiver and split at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.channels import awgn
from envs.transceiver import quality
from envs.transceiver.components import load_components
from envs.transceiver.measure_params import MeasureParams
from envs.transceiver.profile import METRICS
from envs.transceiver.receivers import receiver_named
from envs.transceiver.transceiver import Transceiver


class Measurement:
    """Runs one part (a receiver at a split) at a time on a transceiver.

    The transmitter's trajectories are computed once and branched at every split.
    """

    def __init__(self, params: MeasureParams) -> None:
        self.params = params
        components = load_components(params.model, "cuda" if torch.cuda.is_available() else "cpu")
        if components.classifier is None:
            raise ValueError(f"the model {components.source} has no classifier: alignment cannot be measured")
        self.transceiver = Transceiver(components, params.num_inference_steps, params.guidance_scale)
        self.requests = params.requests()
        self.prompts = [request.prompt for request in self.requests]
        self.seeds = [request.seed for request in self.requests]
        self.trajectory = self.transceiver.trajectory(self.prompts, self.seeds)
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
        noise = torch.stack(
            [self.transceiver.channel_noise(self.seeds, [draw] * len(self.seeds)) for draw in range(draws)]
        )
        rows = []
        for flat in self._batches(np.arange(np.prod(shape))):
            request, snr, draw = np.unravel_index(flat, shape)
            rows.append(self._deliver(receiver, split, request, snrs[snr], noise[draw, request]))
        return np.concatenate(rows, axis=1).reshape(-1, *shape)

    def _deliver(
        self, receiver: str, split: int, request: NDArray, snr_db: NDArray | None, noise: Tensor | None
    ) -> NDArray[np.float32]:
        spec, prompts = receiver_named(receiver), [self.prompts[i] for i in request]
        sent = self.trajectory[split, request]
        received, variance = sent, np.zeros(len(request))
        if noise is not None and snr_db is not None:
            received, variance = awgn.send(sent, noise, snr_db)
        predict = self.transceiver.predictor(spec.network, spec.guided, prompts)
        seeds = [self.seeds[i] for i in request]
        clean = self.transceiver.receive(received, variance, split, receiver, predict, seeds)
        return self._judge(self.transceiver.decode(clean), request)

    def _judge(self, images: Tensor, request: NDArray) -> NDArray[np.float32]:
        reference, prompts = self.reference_images[request], [self.prompts[i] for i in request]
        values = {
            "alignment": self.transceiver.alignment(images, prompts),
            "psnr_db": quality.psnr_db(images, reference),
            "ssim": quality.ssim(images, reference),
            "mse": quality.mse(images, reference),
        }
        return np.stack([values[name].cpu().numpy() for name in METRICS])

    def _batches(self, rows: NDArray) -> Iterator[NDArray]:
        size = self.params.batch_size
        return (rows[start : start + size] for start in range(0, len(rows), size))
