"""Receivers compared on the same requests and channel noise, with the features that a Frechet distance needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from envs.transceiver.model.components import load_components
from envs.transceiver.model.flops import receiver_step_flops
from envs.transceiver.profile.files import cell_files, gather_tables
from envs.transceiver.profile.image_metrics import frechet_distance
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.profile.profile import TEST, Request
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.profile.shards import measure_cells
from envs.transceiver.profile.table import METRICS, NOISE_FREE, TableKey
from envs.units import FloatArray


class FeatureRuns(SharedRuns):
    """Keeps the classifier's features of every image below its metrics."""

    @torch.no_grad()
    def judge(self, images: Tensor, request: NDArray[Any]) -> NDArray[np.float32]:
        """Metrics and features of images of some requests, [M + F, n]."""
        classifier = self.transceiver.components.classifier
        if classifier is None:
            raise ValueError("the model has no classifier: features cannot be measured")
        return np.concatenate([super().judge(images, request), classifier.features(images).cpu().numpy().T])


@dataclass(frozen=True)
class ReceiverStudy:
    """What every receiver delivers of the same R requests over the same channel noise.

    Attributes:
        requests: R requests.
        snr_db: S measured SNRs.
        tables: receiver -> metrics and, below them, features, [M + F, R, T + 1, S]; at split 0 the same at every SNR.
        reference: those of the noise-free images, [M + F, R].
        step_flops: FLOPs of one step of each receiver, for one latent.
    """

    requests: tuple[Request, ...]
    snr_db: tuple[float, ...]
    tables: dict[str, NDArray[np.float32]]
    reference: NDArray[np.float32]
    step_flops: dict[str, int]

    def values(self, receiver: str, metric: str) -> FloatArray:
        """One metric, [R, T + 1, S]."""
        return self.tables[receiver][METRICS.index(metric)].astype(np.float64)

    def features(self, receiver: str) -> NDArray[np.float32]:
        """Features of the delivered images, [R, T + 1, S, F]."""
        return np.moveaxis(self.tables[receiver][len(METRICS) :], 0, -1)

    def frechet_distances(self, receiver: str, splits: Sequence[int], without: int | None = None) -> FloatArray:
        """Frechet distance to the noise-free images of the same requests, [len(splits), S].

        Args:
            receiver: its name.
            splits: where.
            without: a request to leave out, for a jackknife.
        """
        rows = np.delete(np.arange(len(self.requests)), [] if without is None else [without])
        reference = torch.from_numpy(self.reference[len(METRICS) :].T[rows])
        features = torch.from_numpy(np.ascontiguousarray(self.features(receiver)[rows][:, list(splits)]))
        return np.array([[frechet_distance(set_, reference) for set_ in at.unbind(1)] for at in features.unbind(1)])


def study_receivers(
    receivers: Sequence[str],
    num_requests: int,
    snr_db: Sequence[float],
    folder: Path,
    *,
    model: str | None,
    num_inference_steps: int,
    guidance_scale: float | None,
    workers: int = 2,
) -> ReceiverStudy:
    """Measure receivers at every split with the live transceiver; finished parts are kept.

    Args:
        receivers: names.
        num_requests: R >= 3, the first of those that policies are judged on in a profile.
        snr_db: increasing SNRs in dB.
        folder: of the finished parts; a run that was stopped goes on from them.
        model: folder of the model, None for the embedded one.
        num_inference_steps, guidance_scale: of the sampler; None takes the model's guidance.
        workers: processes.

    Raises:
        ValueError: a number out of range, an unknown receiver, or a model without its network.
    """
    if num_requests < 3:
        raise ValueError(f"num_requests must be 3 or more for a Frechet distance and its jackknife, got {num_requests}")
    params = MeasureParams(
        model=model,
        receivers=dict.fromkeys(receivers, ReceiverAxes((num_inference_steps,), draws=1)),
        requests={TEST: num_requests},
        snr_db=tuple(float(value) for value in snr_db),
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
    )
    components = load_components(model)
    step_flops = {name: receiver_step_flops(components, name) for name in receivers}
    measure_cells(params, folder, workers, 1, FeatureRuns)
    measured = gather_tables(params, TEST, cell_files(params, folder))
    reference = measured.pop(TableKey(NOISE_FREE, num_inference_steps))["noise_free"][..., 0]
    tables = {name: arrays["values"][..., 0] for (name, *_), arrays in measured.items()}
    for (name, *_), arrays in measured.items():
        tables[name][:, :, 0] = arrays["noise_free"][:, :, 0, None]
    return ReceiverStudy(params.requests_of(TEST), params.snr_db, tables, reference, step_flops)
