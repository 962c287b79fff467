"""What the trained model is worth: reconstruction, classification, alignment, and every receiver under noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from envs.transceiver.model.components import Components
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import Request
from envs.transceiver.scenes.scenes import Scene
from envs.transceiver.train_embedded.data import to_unit
from envs.transceiver.transceiver import Transceiver

CHUNK = 32


def reconstruction_psnr_db(components: Components, pictures: Tensor) -> float:
    """Mean PSNR in dB of decoded posterior means against uint8 pictures [N, 3, 64, 64]."""
    vae, values = components.vae, []
    for batch in pictures.split(CHUNK):
        images = to_unit(batch).to(vae.device)
        with torch.no_grad():
            decoded = vae.decode(vae.encode(images * 2 - 1).latent_dist.mean).sample
        values.append(image_metrics.psnr_db((decoded * 0.5 + 0.5).clamp(0, 1), images))
    return float(torch.cat(values).mean())


def classifier_accuracy(components: Components, pictures: Tensor, labels: Tensor) -> tuple[float, float, float]:
    """Accuracy of noun, colour and place on uint8 pictures."""
    classifier = _classifier(components)
    hits = []
    for batch, truth in zip(pictures.split(CHUNK), labels.split(CHUNK), strict=True):
        with torch.no_grad():
            logits = classifier(to_unit(batch).to(classifier.device))
        hits.append(torch.stack([head.argmax(1).cpu() == truth[:, i] for i, head in enumerate(logits)], dim=1))
    noun, colour, place = torch.cat(hits).float().mean(0).tolist()
    return noun, colour, place


def rendered_alignment(components: Components, pictures: Tensor, labels: Tensor) -> float:
    """Mean alignment of rendered scenes with their own labels."""
    classifier, values = _classifier(components), []
    for batch, truth in zip(pictures.split(CHUNK), labels.split(CHUNK), strict=True):
        with torch.no_grad():
            values.append(classifier.log_likelihood(to_unit(batch).to(classifier.device), truth.to(classifier.device)))
    return float(torch.cat(values).exp().mean())


def draw_requests(scenes: Sequence[Scene], count: int, seed: int) -> tuple[Request, ...]:
    """Requests for scenes drawn uniformly."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(scenes), size=count)
    seeds = rng.integers(2**31, size=count)
    return tuple(Request(scenes[i].caption, int(s)) for i, s in zip(chosen, seeds, strict=True))


@dataclass(frozen=True)
class Judged:
    """PSNR and alignment of each request, float [N]."""

    psnr_db: Tensor
    alignment: Tensor

    def __str__(self) -> str:
        return f"{self.psnr_db.mean():.1f} / {self.alignment.mean():.3f}"


class Judge:
    """Runs the same requests through receivers, sharing the edge's trajectories.

    Args:
        transceiver: the model.
        requests: what is asked for.
    """

    def __init__(self, transceiver: Transceiver, requests: Sequence[Request]) -> None:
        self.transceiver = transceiver
        self.prompts = [request.prompt for request in requests]
        self.seeds = [request.seed for request in requests]
        chunks = [slice(i, i + CHUNK) for i in range(0, len(requests), CHUNK)]
        self.trajectory = torch.cat(
            [transceiver.trajectory(self.prompts[rows], self.seeds[rows]) for rows in chunks], dim=1
        )
        self.reference = self._decode(self.trajectory[-1])

    def clean(self) -> Judged:
        """The unsplit generator over a perfect link."""
        return self._judge(self.reference)

    def deliver(self, receiver: str, split: int, snr_db: float) -> Judged:
        """All requests through one receiver at one split and SNR."""
        images, link = [], snr_db if split > 0 else None
        for start in range(0, len(self.seeds), CHUNK):
            rows = slice(start, start + CHUNK)
            sent, prompts, seeds = self.trajectory[split, rows], self.prompts[rows], self.seeds[rows]
            images.append(self.transceiver.deliver(sent, prompts, seeds, split, link, receiver).images)
        return self._judge(torch.cat(images))

    def _judge(self, images: Tensor) -> Judged:
        rows = [slice(i, i + CHUNK) for i in range(0, len(images), CHUNK)]
        alignment = torch.cat([self.transceiver.alignment(images[r], self.prompts[r]) for r in rows])
        return Judged(image_metrics.psnr_db(images, self.reference), alignment.cpu())

    def _decode(self, latents: Tensor) -> Tensor:
        return torch.cat([self.transceiver.decode(batch) for batch in latents.split(CHUNK)])


def _classifier(components: Components):  # type: ignore[no-untyped-def]
    if components.classifier is None:
        raise ValueError(f"the model {components.source} has no classifier")
    return components.classifier
