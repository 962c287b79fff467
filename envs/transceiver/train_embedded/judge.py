"""What the trained parts are worth: reconstruction, classification, alignment of rendered scenes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from envs.transceiver.model.components import Components
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.profile import Request
from envs.transceiver.scenes.scenes import Scene
from envs.transceiver.train_embedded.data import to_unit

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


def _classifier(components: Components):  # type: ignore[no-untyped-def]
    if components.classifier is None:
        raise ValueError(f"the model {components.source} has no classifier")
    return components.classifier
