"""Measuring of quality by running the live transceiver, one receiver and split at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.files import whole_file
from envs.transceiver.execute import coded_image
from envs.transceiver.items import Image
from envs.transceiver.model.components import load_components
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import Request
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.profile.table import METRICS
from envs.transceiver.receivers import receiver_named
from envs.transceiver.transceiver import Transceiver
from envs.units import FloatArray


@dataclass(frozen=True)
class Search:
    """Which SNRs are worth a hand-over: some at first, then half-way between two that differ in acceptance.

    Every (request, channel draw) is a line of its own, along which the acceptance of its image mostly changes once.

    Source: own design (bisection of every line at once).

    Attributes:
        first_snrs: indices of those that every line is measured at; None is all.
        accepted: metric -> least value of acceptable images.
    """

    first_snrs: tuple[int, ...] | None
    accepted: Mapping[str, float]

    @classmethod
    def of(cls, params: MeasureParams) -> Search:
        """The search that a configuration asks for."""
        first = None if params.first_snr_db is None else tuple(params.snr_db.index(snr) for snr in params.first_snr_db)
        return cls(first, params.accepted)

    def first(self, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
        """What is measured before anything is known, bool [R, S, D]."""
        wanted = np.zeros(shape, dtype=np.bool_)
        wanted[:, slice(None) if self.first_snrs is None else list(self.first_snrs)] = True
        return wanted

    def next(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """What is measured next, bool [R, S, D], given what was, [M, R, S, D] with NaN; nothing, where all is known."""
        known, index = ~np.isnan(values[0]), np.arange(values.shape[2])[:, None]
        low = np.maximum.accumulate(np.where(known, index, 0), axis=1)
        high = np.minimum.accumulate(np.where(known, index, len(index) - 1)[:, ::-1], axis=1)[:, ::-1]
        differs = np.zeros(known.shape, dtype=np.bool_)
        for metric, least in self.accepted.items():
            accepted = values[METRICS.index(metric)] >= least
            differs |= np.take_along_axis(accepted, low, 1) != np.take_along_axis(accepted, high, 1)
        return differs & ~known & (index == (low + high) // 2)


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
        if kept is not None and kept.exists():
            with np.load(kept) as data:
                self.trajectory, self.reference_images = (
                    torch.from_numpy(data[name]).to(transceiver.device) for name in ("trajectory", "images")
                )
            return
        batches = self.batches(np.arange(len(self.requests)))
        prompts_and_seeds = [([self.prompts[i] for i in rows], [self.seeds[i] for i in rows]) for rows in batches]
        self.trajectory = torch.cat([transceiver.trajectory(*each) for each in prompts_and_seeds], dim=1)
        self.reference_images = transceiver.decode(self.trajectory[-1])
        if kept is not None:
            with whole_file(kept) as file:
                np.savez(file, trajectory=self.trajectory.cpu().numpy(), images=self.reference_images.cpu().numpy())

    def reference(self, codec: str | None = None) -> NDArray[np.float32]:
        """Metrics of the noise-free images, [M, R], or of what a codec leaves of them."""
        images = coded_image(Image(self.reference_images), codec).pixels
        return self.judge(images, np.arange(len(self.requests)))

    def deliver(self, receiver: str, split: int, snr_db: float) -> dict[str, NDArray[np.float32]]:
        """All requests through one receiver at one split and SNR: metric -> [R]."""
        request = np.arange(len(self.requests))
        values = self.attempts(receiver, split, request, np.full(len(request), snr_db), np.zeros_like(request))
        return dict(zip(METRICS, values, strict=True))

    def noise_free(self, receiver: str, split: int, codec: str | None = None) -> NDArray[np.float32]:
        """All requests through one receiver over a perfect link, [M, R]; at split 0 there is no link."""
        return self.attempts(receiver, split, np.arange(len(self.requests)), codec=codec)

    def attempts(
        self,
        receiver: str,
        split: int,
        request: NDArray[np.integer],
        snr_db: FloatArray | None = None,
        draw: NDArray[np.integer] | None = None,
        codec: str | None = None,
    ) -> NDArray[np.float32]:
        """Metrics [M, n] of n hand-overs.

        Args:
            receiver: its name.
            split: steps that are done.
            request: index of each request, [n].
            snr_db, draw: of each link, [n]; None is a perfect one.
            codec: of the latents, which then meet no noise but its own.
        """
        rows = []
        for some in self.batches(np.arange(len(request))):
            asked = request[some]
            delivery = self.transceiver.deliver(
                self.trajectory[split, asked],
                [self.prompts[i] for i in asked],
                [self.seeds[i] for i in asked],
                split,
                None if snr_db is None else snr_db[some].tolist(),
                receiver,
                None if draw is None else draw[some].tolist(),
                codec,
            )
            rows.append(self.judge(delivery.images, asked))
        return np.concatenate(rows, axis=1)

    def table(self, receiver: str, split: int, snr_db: FloatArray, draws: int, search: Search) -> NDArray[np.float32]:
        """Metrics of hand-overs at those SNRs that a search asks for, [M, R, S, D]; NaN at the others."""
        shape = (len(self.requests), len(snr_db), draws)
        values, wanted = np.full((1, *shape), np.nan, np.float32), search.first(shape)
        while wanted.any():
            request, snr, draw = np.nonzero(wanted)
            found = self.attempts(receiver, split, request, snr_db[snr], draw)
            values = values if len(values) == len(found) else np.full((len(found), *shape), np.nan, np.float32)
            values[:, wanted] = found
            wanted = search.next(values)
        return values

    def judge(self, images: Tensor, request: NDArray[Any]) -> NDArray[np.float32]:
        """Metrics of images of some requests, [M, n]."""
        prompts = [self.prompts[i] for i in request]
        values = {"alignment": self.transceiver.components.needed_judge().alignment(images, prompts).cpu().numpy()}
        values |= image_metrics.metrics_against(images, self.reference_images[request])
        return np.stack([values[name] for name in METRICS]).astype(np.float32)

    def batches(self, rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
        """The rows in batches."""
        return (rows[start : start + self.batch_size] for start in range(0, len(rows), self.batch_size))


def transceiver_of(params: MeasureParams, num_inference_steps: int | None = None) -> Transceiver:
    """What measures a profile, with its own T or another.

    Raises:
        ValueError: a model that cannot be loaded, or without a network that a receiver needs.
    """
    components = load_components(params.model, params.device, params.options)
    for name in params.receivers:
        components.network(receiver_named(name).network)
    steps = num_inference_steps or params.num_inference_steps
    return Transceiver(components, steps, params.guidance_scale, params.channel)
