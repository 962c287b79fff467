"""Generate images of given prompts over given links, as PNG files and on one sheet: `python -m envs generate`.

Every prompt with every seed runs by the plan, at every SNR of the link, and is received by every receiver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from envs import checks
from envs.channels import make_channel
from envs.channels.channel import check_snr_db
from envs.checks import Count, Natural
from envs.command_line import command, plain
from envs.files import whole_file, write_rows
from envs.transceiver import ModelOptions, Request
from envs.transceiver.execute import executable
from envs.transceiver.model.folders import check_networks

SHEET_REQUESTS = 8
"""On one sheet; more make several."""
NAME_LENGTH = 60
"""Characters of a prompt in a file's name."""


@dataclass(frozen=True)
class GenerateSettings:
    """`configs/generate.yaml` without its groups.

    Raises:
        ValueError: a value that is not allowed, or a plan that cannot be executed.
    """

    output: str
    prompts: list[str]
    seeds: list[Natural]
    plan: str
    receivers: list[str]
    snr_db: list[float | None]
    num_inference_steps: Count
    channel_seed: Natural
    batch_size: Count

    def __post_init__(self) -> None:
        executable(self.plan, self.num_inference_steps)
        check_snr_db(np.array([level for level in self.snr_db if level is not None], dtype=np.float64))

    @property
    def requests(self) -> list[Request]:
        """Every prompt with every seed."""
        return [Request(prompt, seed) for prompt, seed in product(self.prompts, self.seeds)]


@command("generate")
def main(config: DictConfig) -> None:
    """Generate what the configuration names."""
    groups = ("transceiver", "channel")
    settings = checks.parse(GenerateSettings, plain(config, exclude=groups))
    transceiver, channel = plain(config.transceiver), plain(config.channel)
    make_channel(channel)
    from envs.transceiver.receivers import receiver_named  # heavy: after help and most mistakes

    networks = [receiver_named(name).network for name in settings.receivers]
    check_networks(transceiver["path"], ModelOptions.from_group(transceiver), networks)
    from envs.transceiver import load_transceiver

    live = load_transceiver(**transceiver, num_inference_steps=settings.num_inference_steps, channel=channel)
    images, alignment = generated(live, settings)
    write(Path(settings.output), settings, images, alignment)


def generated(transceiver: Any, settings: GenerateSettings) -> tuple[np.ndarray, np.ndarray]:
    """All images [Q, R, S, H, W, 3] in [0, 1] of Q requests, R receivers and S SNRs, and their alignment [Q, R, S].

    Alignment is NaN where nothing judges it.
    """
    from tqdm import tqdm

    from envs.transceiver.model.vocabulary import warned_once
    from envs.transceiver.scenes.pictures import pixels

    requests, size = settings.requests, settings.batch_size
    shape = len(requests), len(settings.receivers), len(settings.snr_db)
    images, alignment = np.empty(shape, dtype=object), np.full(shape, np.nan)
    tokenizer = transceiver.components.tokenizer
    with warned_once(tokenizer, settings.prompts), tqdm(total=images.size, desc="images", unit="image") as bar:
        for row, column in np.ndindex(shape[1:]):
            for start in range(0, len(requests), size):
                batch = requests[start : start + size]
                out = transceiver.execute(
                    settings.plan,
                    prompts=[request.prompt for request in batch],
                    seeds=[request.seed for request in batch],
                    snr_db=settings.snr_db[column],
                    receiver=settings.receivers[row],
                    channel_seeds=[settings.channel_seed] * len(batch),
                )
                for index, image in enumerate(pixels(out.images), start):
                    images[index, row, column] = image
                if out.alignment is not None:
                    alignment[start : start + size, row, column] = out.alignment.cpu().numpy()
                bar.update(len(batch))
    return np.array(images.tolist()), alignment


def write(folder: Path, settings: GenerateSettings, images: np.ndarray, alignment: np.ndarray) -> None:
    """Write the images, the sheets, and the table of what each is."""
    from PIL import Image

    from envs.transceiver.scenes.pictures import delivered_sheet

    folder.mkdir(parents=True, exist_ok=True)
    requests, rows = settings.requests, []
    for (index, row, column), measured in np.ndenumerate(alignment):
        request, receiver, snr_db = requests[index], settings.receivers[row], settings.snr_db[column]
        name = file_name(index, request, receiver, snr_db)
        with whole_file(folder / name) as partial:
            Image.fromarray((images[index, row, column] * 255).round().astype(np.uint8)).save(partial)
        about = {"prompt": request.prompt, "seed": request.seed, "plan": settings.plan, "receiver": receiver}
        rows.append({"file": name, **about, "snr_db": snr_db, "alignment": measured})
    write_rows(folder / "images.csv", rows)
    notes = None if np.isnan(alignment).any() else np.char.mod("alignment %.2f", alignment)
    titles = [f"{request.prompt} · seed {request.seed} · {settings.plan}" for request in requests]
    starts = range(0, len(requests), SHEET_REQUESTS)
    for start in starts:
        some = slice(start, start + SHEET_REQUESTS)
        figure = delivered_sheet(
            titles[some], settings.receivers, settings.snr_db, images[some], None if notes is None else notes[some]
        )
        sheet = "sheet.png" if len(starts) == 1 else f"sheet_{1 + start // SHEET_REQUESTS}.png"
        with whole_file(folder / sheet) as partial:
            figure.savefig(partial)
        print(f"wrote {folder / sheet}")
    print(f"wrote {len(rows)} images to {folder}, listed in images.csv")


def file_name(index: int, request: Request, receiver: str, snr_db: float | None) -> str:
    """Name of an image's file; the number of its request tells apart prompts that look the same in it."""
    words = "-".join(re.findall(r"[a-z0-9]+", request.prompt.lower()))[:NAME_LENGTH]
    link = "perfect" if snr_db is None else f"{snr_db:g}dB"
    return f"{index + 1:03d}_{words}_seed{request.seed}_{receiver}_{link}.png"
