"""The model card: recipe and measured quality of the exported model, written beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from envs.files import whole_file
from envs.transceiver.model.components import Components, load_components
from envs.transceiver.model.flops import forward_flops
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.profile.profile import METRICS, Request
from envs.transceiver.scenes import pictures
from envs.transceiver.scenes.scenes import ALL_SCENES, HELD_OUT_SCENES, SEEN_SCENES
from envs.transceiver.train_embedded import judge
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from envs.transceiver.train_embedded.parts import ModelParts

SHARES, SHOWN_SHARE = (0.2, 0.4, 0.6, 0.8, 0.9), 0.7
"""Splits of the table, and of the picture, as shares of T."""
SNRS_DB = (-6.0, 0.0, 6.0, 15.0)
RECEIVERS = ("ignore", "rematch", "printed", "rematch_light", "finetuned")
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
    text = "\n".join([_introduction(components), *_quality(training, transceiver), *_recipe(training)])
    with whole_file(export / "README.md") as partial:
        partial.write_text(text + "\n")


def _introduction(components: Components) -> str:
    sizes = {
        name: sum(p.numel() for p in getattr(components, name).parameters()) / 1e6
        for name in ("vae", "text_encoder", "unet", "light_unet", "finetune_unet", "classifier")
        if getattr(components, name) is not None
    }
    flops = {name: forward_flops(components, name) / 1e6 for name in ("unet", "finetune_unet") if name in sizes}
    rows = [
        f"| `{name}` | {size:.2f} M | {f'{flops[name]:.1f}' if name in flops else '–'} |"
        for name, size in sizes.items()
    ]
    return "\n".join(
        [
            "# The embedded model",
            "",
            "A small split diffusion transceiver in diffusers layout: text to 64 x 64 pictures through 8 x 8 x 4",
            "latents, trained by this project on captioned scenes that it renders itself. `light_unet` is the",
            "receiver's network before fine-tuning, `finetune_unet` after it; `classifier` measures prompt alignment.",
            "",
            "| part | parameters | MFLOP a forward |",
            "|---|---|---|",
            *rows,
            "",
            f"Weights are stored in half precision, run in single precision. Fingerprint `{components.fingerprint}`.",
            "",
        ]
    )


def _quality(training: ModelParts, transceiver: Transceiver) -> list[str]:
    config, components = training.config.card, transceiver.components
    lines = [
        "## Measured quality",
        "",
        "| on unseen scenes | seen combinations | held-out combinations |",
        "|---|---|---|",
    ]
    cells: dict[str, list[str]] = {"VAE, PSNR": [], "classifier accuracy, noun / colour / place": []}
    aligned: dict[str, list[str]] = {
        "alignment of rendered scenes": [],
        "alignment of generated images": [],
        "their ratio": [],
    }
    for name, scenes in (("seen", SEEN_SCENES), ("held_out", HELD_OUT_SCENES)):
        shown, labels = training.validation[name]
        cells["VAE, PSNR"].append(f"{judge.reconstruction_psnr_db(components, shown):.2f} dB")
        accuracy = judge.classifier_accuracy(components, shown, labels)
        cells["classifier accuracy, noun / colour / place"].append(" / ".join(f"{value:.3f}" for value in accuracy))
        rendered = judge.rendered_alignment(components, shown, labels)
        asked = judge.draw_requests(scenes, config.requests, training.config.seed + 7)
        generated = float(SharedRuns(transceiver, asked).reference()[METRICS.index("alignment")].mean())
        for row, value in zip(aligned, (rendered, generated, generated / rendered), strict=True):
            aligned[row].append(f"{value:.3f}")
    lines += [f"| {row} | {' | '.join(values)} |" for row, values in (cells | aligned).items()]
    lines += [
        "",
        f"{len(training.validation['seen'][0])} scenes and {config.requests} requests each; "
        f"T = {transceiver.num_inference_steps}, guidance {transceiver.guidance_scale:g}.",
        "",
    ]
    return lines + _receivers(training, transceiver)


def _receivers(training: ModelParts, transceiver: Transceiver) -> list[str]:
    count = training.config.card.receiver_requests
    asked = judge.draw_requests(ALL_SCENES, count, training.config.seed + 8)
    run = SharedRuns(transceiver, asked)
    clean = run.reference()[METRICS.index("alignment")]
    splits = [round(share * transceiver.num_inference_steps) for share in SHARES]
    lines = [
        "## Receivers under noise",
        "",
        f"PSNR in dB against the noise-free image / alignment, means of {count} requests over an AWGN channel.",
        f"Noise-free: alignment {float(clean.mean()):.3f}.",
        "",
        "| SNR | receiver | " + " | ".join(f"split {split}" for split in splits) + " |",
        "|---|---|" + "---|" * len(splits),
    ]
    for snr_db in SNRS_DB:
        for receiver in RECEIVERS:
            found = [run.deliver(receiver, split, snr_db) for split in splits]
            cells = " | ".join(f"{each['psnr_db'].mean():.1f} / {each['alignment'].mean():.3f}" for each in found)
            lines.append(f"| {snr_db:g} dB | {receiver} | {cells} |")
    return [*lines, ""]


def _recipe(training: ModelParts) -> list[str]:
    left_out = ("folder", "export", "init", "stages", "threads", "pictures_folder", "card")
    config = {key: value for key, value in training.config.items() if key not in left_out}
    return [
        "## Recipe",
        "",
        "`python -m envs train_model` with this configuration. Data: rendered scenes of the seen combinations;",
        "one combination in ten is kept out of every stage but the classifier's, which is the measuring instrument.",
        "",
        "```yaml",
        OmegaConf.to_yaml(OmegaConf.create(config)).rstrip(),
        "```",
    ]
