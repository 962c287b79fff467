"""The model card: recipe and measured quality of the exported model, written beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from torch import Tensor

from envs.files import whole_file, write_text
from envs.transceiver.model.components import Components, load_components
from envs.transceiver.model.flops import forward_flops, receiver_step_flops
from envs.transceiver.model.options import UNETS
from envs.transceiver.model.timing import timed_costs
from envs.transceiver.profile import image_metrics
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.profile.profile import Request
from envs.transceiver.profile.table import METRICS
from envs.transceiver.receivers import receiver_named
from envs.transceiver.scenes import pictures
from envs.transceiver.scenes.scenes import ALL_SCENES, HELD_OUT_SCENES, SEEN_SCENES, Scene
from envs.transceiver.train_embedded.data import to_unit
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from envs.transceiver.train_embedded.parts import ModelParts

CHUNK = 32
SHARES, SHOWN_SHARE = (0.2, 0.4, 0.6, 0.8, 0.9), 0.7
"""Splits of the table, and of the picture, as shares of T."""
SNRS_DB = (-6.0, 0.0, 6.0, 15.0)
RECEIVERS = ("ignore", "rematch", "printed", "rematch_light", "finetuned", "finetuned_light")
OVER_STEPS, HANDED_OVER = ("rematch", "finetuned"), 0.6
"""Receivers, and the split as a share of T, that are compared over T."""
SSIM_KEPT = 0.8
"""From here on an image counts as the one that was sent."""
SHOWN = (
    Request("a red apple on a table", 5),
    Request("a blue car on the beach", 11),
    Request("an orange cat on snow", 7),
)


def write_card(training: ModelParts) -> None:
    """Measure the exported model and write README.md into its folder, and pictures into `pictures`."""
    export, folder = Path(training.config.export), Path(training.config.pictures_folder)
    components = load_components(export, training.device)
    sampling = training.config.sampling
    transceiver = Transceiver(components, sampling.num_inference_steps, sampling.guidance_scale)
    folder.mkdir(parents=True, exist_ok=True)
    shown_split = round(SHOWN_SHARE * sampling.num_inference_steps)
    drawn = {
        "scenes.png": pictures.contact_sheet(6, 12, seed=1),
        "receivers.png": pictures.delivered_images(
            transceiver, SHOWN, ("ignore", "rematch", "finetuned"), shown_split, (-12, -6, -3, 0, 6, 15)
        ),
    }
    for name, figure in drawn.items():
        with whole_file(folder / name) as partial:
            figure.savefig(partial)
    noisy = _steps(transceiver), _receivers(training, transceiver), _numbers_of_steps(training, transceiver)
    texts = _introduction(components), _quality(training, transceiver), *noisy, _recipe(training)
    write_text(export / "README.md", "\n".join(texts))


def _introduction(components: Components) -> str:
    rows = []
    for name in ("vae", "text_encoder", *UNETS, "classifier"):
        if (network := getattr(components, name)) is not None:
            flops = f"{forward_flops(components, name) / 1e6:.1f}" if name in UNETS else "–"
            rows.append(f"| `{name}` | {sum(p.numel() for p in network.parameters()) / 1e6:.2f} M | {flops} |")
    table = "\n".join(rows)
    return f"""\
# The embedded model

A small split diffusion transceiver in diffusers layout: text to 64 x 64 pictures through 8 x 8 x 4
latents, trained by this project on captioned scenes that it renders itself. `finetune_unet` is the
receiver's: the generator's network, distilled to one unguided forward a step on the states that it meets
behind a noisy link. `light_unet` is a light one as it is before that, `finetune_light_unet` after it: it
keeps what was asked for and loses the image that was sent. `classifier` measures prompt alignment.

| part | parameters | MFLOP a forward |
|---|---|---|
{table}

Weights are stored in half precision, run in single precision. Fingerprint `{components.fingerprint}`.
"""


def _quality(training: ModelParts, transceiver: Transceiver) -> str:
    config = training.config.card
    rows: dict[str, list[str]] = {}
    for name, scenes in (("seen", SEEN_SCENES), ("held_out", HELD_OUT_SCENES)):
        psnr_db, accuracy, rendered = _on_rendered(transceiver.components, *training.validation[name])
        asked = draw_requests(scenes, config.requests, training.config.seed + 7)
        generated = float(SharedRuns(transceiver, asked).reference()[METRICS.index("alignment")].mean())
        texts = {
            "VAE, PSNR": f"{psnr_db:.2f} dB",
            "classifier accuracy, noun / colour / place": " / ".join(f"{value:.3f}" for value in accuracy),
            "alignment of rendered scenes": f"{rendered:.3f}",
            "alignment of generated images": f"{generated:.3f}",
            "their ratio": f"{generated / rendered:.3f}",
        }
        for row, value in texts.items():
            rows.setdefault(row, []).append(value)
    table = "\n".join(f"| {row} | {' | '.join(values)} |" for row, values in rows.items())
    return f"""\
## Measured quality

| on unseen scenes | seen combinations | held-out combinations |
|---|---|---|
{table}

{len(training.validation["seen"][0])} scenes and {config.requests} requests each; \
T = {transceiver.num_inference_steps}, guidance {transceiver.guidance_scale:g}.
"""


@torch.no_grad()
def _on_rendered(components: Components, pictures: Tensor, labels: Tensor) -> tuple[float, list[float], float]:
    """What the parts are worth on rendered scenes, uint8 [N, 3, 64, 64] with labels int64 [N, 3].

    Returns:
        (mean PSNR in dB of decoded posterior means, accuracy of noun, colour and place, mean alignment).
    """
    vae, classifier = components.vae, components.classifier
    if classifier is None:
        raise ValueError(f"the model {components.source} has no classifier")
    psnr_db, hits, likelihood = [], [], []
    for batch, truth in zip(pictures.split(CHUNK), labels.to(vae.device).split(CHUNK), strict=True):
        images = to_unit(batch).to(vae.device)
        decoded = vae.decode(vae.encode(images * 2 - 1).latent_dist.mean).sample
        psnr_db.append(image_metrics.psnr_db((decoded * 0.5 + 0.5).clamp(0, 1), images))
        hits.append(torch.stack([head.argmax(1) for head in classifier(images)], dim=1) == truth)
        likelihood.append(classifier.log_likelihood(images, truth))
    accuracy = torch.cat(hits).float().mean(0).tolist()
    return float(torch.cat(psnr_db).mean()), accuracy, float(torch.cat(likelihood).exp().mean())


def draw_requests(scenes: Sequence[Scene], count: int, seed: int) -> tuple[Request, ...]:
    """Requests for scenes drawn uniformly."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(scenes), size=count)
    seeds = rng.integers(2**31, size=count)
    return tuple(Request(scenes[i].caption, int(s)) for i, s in zip(chosen, seeds, strict=True))


def _steps(transceiver: Transceiver) -> str:
    timed = {name: timed_costs(transceiver, name) for name in RECEIVERS}
    rows = []
    for name, one in timed.items():
        flops = receiver_step_flops(transceiver.components, name)
        cells = f"{one.step.forwards} | {flops / 1e6:.0f} | {1e3 * one.finetune_step_s:.1f}"
        rows.append(f"| {name} | `{receiver_named(name).network}` | {cells} |")
    table = "\n".join(rows)
    return f"""\
## What a step of a receiver costs

| receiver | network | forwards | MFLOP a step | ms a step |
|---|---|---|---|---|
{table}

For one latent, timed where this was written: {timed[RECEIVERS[0]].machine}.
"""


def _receivers(training: ModelParts, transceiver: Transceiver) -> str:
    count = training.config.card.receiver_requests
    run = SharedRuns(transceiver, _noisy_requests(training))
    clean = run.reference()[METRICS.index("alignment")]
    splits = [round(share * transceiver.num_inference_steps) for share in SHARES]
    rows = []
    for snr_db, receiver in product(SNRS_DB, RECEIVERS):
        cells = [_cell(run.deliver(receiver, split, snr_db)) for split in splits]
        rows.append(f"| {snr_db:g} dB | {receiver} | {' | '.join(cells)} |")
    table = "\n".join(rows)
    return f"""\
## Receivers under noise

PSNR in dB against the noise-free image / share of images with an SSIM of {SSIM_KEPT} or more to it /
alignment; {count} requests over an AWGN channel. Noise-free: alignment {float(clean.mean()):.3f}.

| SNR | receiver | {" | ".join(f"split {split}" for split in splits)} |
|---|---|{"---|" * len(splits)}
{table}
"""


def _numbers_of_steps(training: ModelParts, transceiver: Transceiver) -> str:
    rows = []
    for steps in training.states.num_inference_steps:
        run, split = SharedRuns(transceiver.with_steps(steps), _noisy_requests(training)), round(HANDED_OVER * steps)
        for receiver in OVER_STEPS:
            cells = [_cell(run.deliver(receiver, split, snr_db)) for snr_db in SNRS_DB]
            rows.append(f"| {steps} | {split} | {receiver} | {' | '.join(cells)} |")
    table = "\n".join(rows)
    return f"""\
## Fewer steps

The same, each image against the noise-free one of as many steps.

| T | split | receiver | {" | ".join(f"{snr_db:g} dB" for snr_db in SNRS_DB)} |
|---|---|---|{"---|" * len(SNRS_DB)}
{table}
"""


def _noisy_requests(training: ModelParts) -> tuple[Request, ...]:
    return draw_requests(ALL_SCENES, training.config.card.receiver_requests, training.config.seed + 8)


def _cell(found: Mapping[str, NDArray[np.floating]]) -> str:
    """Metric -> [R], as the tables of the receivers show it."""
    kept = (found["ssim"] >= SSIM_KEPT).mean()
    return f"{found['psnr_db'].mean():.1f} / {kept:.2f} / {found['alignment'].mean():.3f}"


def _recipe(training: ModelParts) -> str:
    left_out = ("folder", "export", "init", "stages", "threads", "device", "pictures_folder", "card")
    config = {key: value for key, value in training.config.items() if key not in left_out}
    return f"""\
## Recipe

`python -m envs train_model` with this configuration. Data: rendered scenes of the seen combinations;
one combination in ten is kept out of every stage but the classifier's, which is the measuring instrument.

```yaml
{OmegaConf.to_yaml(OmegaConf.create(config)).rstrip()}
```
"""
