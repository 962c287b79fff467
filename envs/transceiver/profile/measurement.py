"""Measuring of quality by running the live transceiver, one receiver and split at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.files import whole_file
from envs.transceiver.model.components import load_components
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import METRICS, Request
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.receivers import receiver_named
from envs.transceiver.transceiver import Transceiver


class SharedRuns:
    """The same requests again and again: the edge's trajectories are computed once and branched at every split.

    Args:
        transceiver: what runs them; it has something that judges alignment.
        requests: R requests.
        batch_size: images at a time.
        kept: file that keeps trajectories and noise-free images; what is there is not computed again.

    Raises:
        ValueError: nothing judges alignment.
    """

    def __init__(
        self,
        transceiver: Transceiver,
        requests: Sequence[Request],
        batch_size: int = 32,
        kept: Path | None = None,
    ) -> None:
        transceiver.components.needed_judge()
        self.transceiver, self.requests, self.batch_size = transceiver, tuple(requests), batch_size
        self.prompts = [request.prompt for request in self.requests]
        self.seeds = [request.seed for request in self.requests]
        if kept is None or not kept.exists():
            batches = self.batches(np.arange(len(self.requests)))
            prompts_and_seeds = [([self.prompts[i] for i in rows], [self.seeds[i] for i in rows]) for rows in batches]
            self.trajectory = torch.cat([transceiver.trajectory(*each) for each in prompts_and_seeds], dim=1)
            self.reference_images = transceiver.decode(self.trajectory[-1])
        if kept is not None and not kept.exists():
            with whole_file(kept) as file:
                np.savez(file, trajectory=self.trajectory.cpu().numpy(), images=self.reference_images.cpu().numpy())
        elif kept is not None:
            with np.load(kept) as data:
                self.trajectory, self.reference_images = (
                    torch.from_numpy(data[name]).to(transceiver.device) for name in ("trajectory", "images")
                )

    def reference(self) -> NDArray[np.float32]:
        """Metrics of the noise-free images, [M, R]."""
        return self.judge(self.reference_images, np.arange(len(self.requests)))

    def deliver(self, receiver: str, split: int, snr_db: float) -> dict[str, NDArray[np.float32]]:
        """All requests through one receiver at one split and SNR: metric -> [R]."""
        return dict(zip(METRICS, self.measure(receiver, split, [snr_db], [0])[..., 0, 0], strict=True))

    def measure(self, receiver: str, split: int, snr_db: Sequence[float], draws: Sequence[int]) -> NDArray[np.float32]:
        """All requests through one receiver at one split, over SNRs and channel draws: metrics [M, R, S, D].

        At split 0 nothing crosses the channel, and one run a request serves them all.
        """
        requests, levels = len(self.requests), np.asarray(snr_db)
        shape = (requests, len(levels), len(draws)) if split else (requests, 1, 1)
        rows = []
        for flat in self.batches(np.arange(np.prod(shape))):
            request, snr, draw = np.unravel_index(flat, shape)
            prompts, seeds = [self.prompts[i] for i in request], [self.seeds[i] for i in request]
            sent = self.trajectory[split, request]
            link = levels[snr].tolist() if split else None
            channel_seeds = [draws[i] for i in draw]
            delivery = self.transceiver.deliver(sent, prompts, seeds, split, link, receiver, channel_seeds)
            rows.append(self.judge(delivery.images, request))
        values = np.concatenate(rows, axis=1).reshape(-1, *shape)
        return np.broadcast_to(values, (len(values), requests, len(levels), len(draws))).copy()

    def judge(self, images: Tensor, request: NDArray[Any]) -> NDArray[np.float32]:
        """Metrics of images of some requests, [M, n]."""
        prompts = [self.prompts[i] for i in request]
        values = {"alignment": self.transceiver.components.needed_judge().alignment(images, prompts).cpu().numpy()}
        values |= image_metrics.metrics_against(images, self.reference_images[request])
        return np.stack([values[name] for name in METRICS]).astype(np.float32)

    def batches(self, rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """The rows in batches."""
        return (rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size))


def transceiver_of(params: MeasureParams) -> Transceiver:
    """What measures a profile.

    Raises:
        ValueError: a model that cannot be loaded, or without a network that a receiver needs.
    """
    components = load_components(params.model, params.device, params.options)
    for name in params.receivers:
        components.network(receiver_named(name).network)
    return Transceiver(components, params.num_inference_steps, params.guidance_scale, params.channel)
