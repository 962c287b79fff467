"""Measuring of a whole profile in cells: in parallel, in shards on several machines, resumable at any of them.

A cell is some requests of one receiver at one split over one channel draw. Its file is written whole, so that the files
that are there are all that anybody has to know; what a cell holds does not depend on who measures it.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from envs import checks
from envs.channels import make_channel
from envs.files import whole_file
from envs.transceiver.model.folders import model_fingerprint, model_folder, transceiver_fingerprint
from envs.transceiver.model.loading import read_tokenizer
from envs.transceiver.model.vocabulary import UnknownWordsWarning, known_words
from envs.transceiver.profile.measurement import SharedRuns, transceiver_of
from envs.transceiver.profile.profile import QualityProfile, Request
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.receivers import receiver_named

SHARED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler", "classifier")
"""What every receiver's measurement depends on."""
FORWARDS_OF_A_DECODING = 12
"""Cost of decoding and judging an image, in forwards of a light UNet; one of the generator's is 3."""
GPUS = "gpus"
"""As many workers as GPUs, each of which sees one of them."""
NOISE_FREE = "noise-free"
"""Stands for a receiver in the cells of the edge's trajectories and their images."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"
NAMED = 4
"""Missing cells that a message names."""

Tables = dict[str, NDArray[np.float32]]
"""Receiver -> [M, R, T + 1, S, D]."""


@dataclass(frozen=True)
class Cell:
    """What is measured at once: [M, requests of the block, S], or [M, requests, 1] where nothing crosses the channel.

    Attributes:
        receiver: its name, or `NOISE_FREE`.
        split: steps at the edge.
        block: which requests, so many at a time.
        draw: of the channel.
    """

    receiver: str
    split: int
    block: int
    draw: int


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, from 0 on.

    Raises:
        ValueError: it is not one of them.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        checks.integer("parts of a shard i/n", self.count, 1)
        checks.integer("index of a shard i/n", self.index, 0, self.count - 1)

    @classmethod
    def from_text(cls, text: str) -> Shard:
        """Of `i/n`, such as 0/8."""
        index, _, count = text.partition("/")
        if not (index.isdigit() and count.isdigit()):
            raise ValueError(f"shard must be i/n, such as 0/8 to 7/8, gather or null, got {text!r}")
        return cls(int(index), int(count))

    def holds(self, file: Path) -> bool:
        """Whether a cell's file is this part's to measure: by its name, which says all that the cell depends on."""
        return int(hashlib.sha256(file.name.encode()).hexdigest(), 16) % self.count == self.index


WHOLE = Shard(0, 1)


def measure_cells(
    params: MeasureParams,
    folder: Path,
    workers: int | str,
    threads: int,
    kind: type[SharedRuns] = SharedRuns,
    shard: Shard = WHOLE,
) -> None:
    """Measure those cells of a shard that are not there yet, the most expensive ones first.

    Args:
        params: what is measured.
        folder: of the cells, shared by all who measure; a run that was stopped goes on from it. One for each kind.
        workers, threads: processes, or `GPUS`; torch threads of each.
        kind: what is measured of an image.
        shard: which cells.

    Raises:
        ValueError: no GPU, or a model that cannot be loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    several = [None] * (1 if workers == GPUS else checks.integer("workers", workers, 1))
    devices: Sequence[str | None] = visible_gpus() if workers == GPUS else several
    files = {cell: file for cell, file in cell_files(params, folder).items() if shard.holds(file)}
    todo = sorted((cell for cell, file in files.items() if not file.exists()), key=partial(_order, params))
    total, left = (sum(cost(params, cell) for cell in some) for some in (files, todo))
    bar = tqdm(total=total, initial=total - left, desc="profile", bar_format=BAR)  # by cost, for the time that is left
    bar.set_postfix_str(f"{len(files) - len(todo):,} of {len(files):,} cells")
    if todo:
        tokenizer = read_tokenizer(model_folder(params.model) / "tokenizer")
        known_words(tokenizer, [request.prompt for request in params.requests()])
        context = get_context("spawn")
        queue = context.SimpleQueue()
        for device in devices:
            queue.put(device)
        pool = ProcessPoolExecutor(
            len(devices), context, initializer=_start_worker, initargs=(params, folder, threads, kind, queue)
        )
        try:
            futures = {pool.submit(_measure, cell, str(files[cell])): cell for cell in todo}
            for done, future in enumerate(as_completed(futures), start=len(files) - len(todo) + 1):
                future.result()
                bar.set_postfix_str(f"{done:,} of {len(files):,} cells", refresh=False)
                bar.update(cost(params, futures[future]))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    bar.close()


def gather_profile(params: MeasureParams, folder: Path) -> QualityProfile:
    """One profile of all cells; see `gather_tables`."""
    return QualityProfile(params.requests(), params.snr_db, *gather_tables(params, folder))


def gather_tables(params: MeasureParams, folder: Path) -> tuple[Tables, NDArray[np.float32], dict[str, str]]:
    """What the cells of a folder hold; nothing is loaded but they.

    Returns:
        (tables, those of the noise-free images [M, R], fingerprint of model, schedule and channel).

    Raises:
        ValueError: cells that are missing, some of them by name.
    """
    files = cell_files(params, folder)
    if missing := [cell for cell, file in files.items() if not file.is_file()]:
        named = "; ".join(_words(cell) for cell in missing[:NAMED])
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise ValueError(f"{len(missing):,} of {len(files):,} cells are not in {folder}: {named}{more}")
    cells = {cell: np.load(file) for cell, file in files.items()}
    requests, levels = params.blocks()[-1].stop, len(params.snr_db)
    values = len(next(iter(cells.values())))
    tables = {
        name: np.empty((values, requests, params.num_inference_steps + 1, levels, draws), np.float32)
        for name, draws in params.receivers.items()
    }
    reference = np.empty((values, requests), np.float32)
    for cell, measured in cells.items():
        rows = params.blocks()[cell.block]
        if cell.receiver == NOISE_FREE:
            reference[:, rows] = measured[..., 0]
        elif cell.split:
            tables[cell.receiver][:, rows, cell.split, :, cell.draw] = measured
        else:
            tables[cell.receiver][:, rows, 0] = measured[..., None]
    sampler = params.num_inference_steps, params.guidance_scale
    fingerprint = transceiver_fingerprint(params.model, params.options, *sampler)
    return tables, reference, fingerprint | {"channel": make_channel(params.channel).fingerprint}


def cell_files(params: MeasureParams, folder: Path) -> dict[Cell, Path]:
    """All cells, and their files."""
    steps, blocks = params.num_inference_steps, range(len(params.blocks()))
    cells = [Cell(NOISE_FREE, steps, block, 0) for block in blocks]
    cells += [
        Cell(name, split, block, draw)
        for name, draws in params.receivers.items()
        for split in range(steps + 1)
        for draw in range(draws if split else 1)
        for block in blocks
    ]
    requests = params.requests()
    digests = {
        (name, block): _digest(params, name, requests[params.blocks()[block]])
        for name in (NOISE_FREE, *params.receivers)
        for block in blocks
    }
    return {
        cell: folder / f"{digests[cell.receiver, cell.block]}.{cell.receiver}.{cell.split:03d}.{cell.draw}.npy"
        for cell in cells
    }


def cost(params: MeasureParams, cell: Cell) -> int:
    """Of a cell, in forwards of a light UNet for one latent; from the trajectory on, where there is a receiver."""
    rows = params.blocks()[cell.block]
    images = (rows.stop - rows.start) * (len(params.snr_db) if cell.split and cell.receiver != NOISE_FREE else 1)
    if cell.receiver == NOISE_FREE:
        return images * (6 * params.num_inference_steps + FORWARDS_OF_A_DECODING)
    spec = receiver_named(cell.receiver)
    a_step = (2 if spec.guided else 1) * (3 if spec.network == "unet" else 1)
    return images * (a_step * (params.num_inference_steps - cell.split) + FORWARDS_OF_A_DECODING)


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Raises:
        ValueError: there is none.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    if count == 0:
        raise ValueError(f"workers={GPUS} needs a GPU, this machine shows none; allowed: a number of processes")
    return given.split(",")[:count] if given else [str(index) for index in range(count)]


class Worker:
    """Measures cells, with one model for all and the trajectories of the last few blocks."""

    def __init__(self, params: MeasureParams, folder: Path, kind: type[SharedRuns]) -> None:
        self.params, self.folder, self.kind = params, folder, kind
        self.transceiver = transceiver_of(params)
        self.runs = lru_cache(maxsize=2)(self._runs)

    def _runs(self, block: int) -> SharedRuns:
        requests = self.params.requests()[self.params.blocks()[block]]
        kept = self.folder / f"{_digest(self.params, NOISE_FREE, requests)}.trajectory.npz"
        return self.kind(self.transceiver, requests, self.params.batch_size, kept)

    def measure(self, cell: Cell) -> NDArray[np.float32]:
        """Metrics of a cell, [M, requests, S or 1]."""
        runs = self.runs(cell.block)
        if cell.receiver == NOISE_FREE:
            return runs.reference()[..., None]
        levels = self.params.snr_db if cell.split else self.params.snr_db[:1]
        return runs.measure(cell.receiver, cell.split, levels, [cell.draw])[..., 0]


_worker: Callable[[], Worker]


def _start_worker(params: MeasureParams, folder: Path, threads: int, kind: type[SharedRuns], devices: Any) -> None:
    global _worker
    if (device := devices.get()) is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device  # read when torch first asks for a GPU
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore", UnknownWordsWarning)  # said once, where the workers are started
    # Made by the first cell: an error here would break the pool.
    _worker = lru_cache(maxsize=1)(partial(Worker, params, folder, kind))


def _measure(cell: Cell, path: str) -> None:
    values = _worker().measure(cell)
    with whole_file(path) as file:
        np.save(file, values)


def _order(params: MeasureParams, cell: Cell) -> tuple[bool, int]:
    """What all others need first, then the most expensive: the last ones to end are then short."""
    return cell.receiver != NOISE_FREE, -cost(params, cell)


def _words(cell: Cell) -> str:
    return f"{cell.receiver} at split {cell.split}, block {cell.block}, draw {cell.draw}"


def _digest(params: MeasureParams, receiver: str, requests: tuple[Request, ...]) -> str:
    """Name of what a receiver gives for some requests under these settings.

    It follows only the networks that the receiver uses, so that its cells outlive another receiver's training, and only
    these requests, so that they outlive others.
    """
    spec = None if receiver == NOISE_FREE else receiver_named(receiver)
    facts: list[object] = [
        model_fingerprint(params.model, params.options, [*SHARED, *([] if spec is None else [spec.network])]),
        None if spec is None else asdict(spec),
        [[request.prompt, request.seed] for request in requests],
        None if spec is None else params.snr_db,
        params.num_inference_steps,
        params.guidance_scale,
        None if spec is None else make_channel(params.channel).fingerprint,
        params.options.dtype,
        params.batch_size,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
