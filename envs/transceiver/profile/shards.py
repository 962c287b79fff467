"""Measuring of a whole profile in cells: in parallel, in shards on several machines, resumable at any of them."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from envs import checks
from envs.files import WHOLE, Shard, whole_file
from envs.transceiver.model.folders import model_folder
from envs.transceiver.model.loading import read_tokenizer
from envs.transceiver.model.vocabulary import UnknownWordsWarning, known_words
from envs.transceiver.profile.files import Cell, cell_files, cells_name, cost
from envs.transceiver.profile.measurement import Search, SharedRuns, transceiver_of
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.profile.table import NOISE_FREE, TableKey

GPUS = "gpus"
"""As many workers as GPUs, each of which sees one of them."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"


def measure_cells(
    params: MeasureParams,
    folder: Path,
    workers: int | str,
    threads: int,
    kind: type[SharedRuns] = SharedRuns,
    shard: Shard = WHOLE,
    budget_s: float | None = None,
) -> None:
    """Measure those cells of a shard that are not there yet, the most expensive ones first.

    Args:
        params: what is measured.
        folder: of the cells, shared by all who measure; a run that was stopped goes on from it. One for each kind.
        workers, threads: processes, or `GPUS`; torch threads of each.
        kind: what is measured of an image.
        shard: which cells.
        budget_s: seconds after which no cell is begun; the first requests of all tables are then measured first.

    Raises:
        ValueError: no GPU, or a model that cannot be loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    several = [None] * (1 if workers == GPUS else checks.integer("workers", workers, 1))
    devices: Sequence[str | None] = visible_gpus() if workers == GPUS else several
    files = {cell: file for cell, file in cell_files(params, folder).items() if shard.holds(file)}
    order = partial(_longest_first if budget_s is None else _first_requests_first, params)
    todo = sorted((cell for cell, file in files.items() if not file.exists()), key=order)
    total, left = (sum(cost(params, cell) for cell in some) for some in (files, todo))
    bar = tqdm(total=total, initial=total - left, desc="profile", bar_format=BAR)  # by cost, for the time that is left
    bar.set_postfix_str(f"{len(files) - len(todo):,} of {len(files):,} cells")
    end = math.inf if budget_s is None else time.monotonic() + budget_s
    if todo:
        tokenizer = read_tokenizer(model_folder(params.model) / "tokenizer")
        known_words(tokenizer, [request.prompt for part in params.requests for request in params.requests_of(part)])
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
                if not future.cancelled():
                    future.result()
                    bar.set_postfix_str(f"{done:,} of {len(files):,} cells", refresh=False)
                    bar.update(cost(params, futures[future]))
                if time.monotonic() >= end:
                    pool.shutdown(wait=True, cancel_futures=True)
                    break
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    bar.close()


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
        self.search = Search.of(params)
        self.transceiver = transceiver_of(params)
        self.runs = lru_cache(maxsize=2)(self._runs)

    def _runs(self, part: str, block: int, steps: int) -> SharedRuns:
        requests = self.params.requests_of(part)[self.params.block(part, block)]
        name = cells_name(self.params, TableKey(NOISE_FREE, steps), requests)
        kept = self.folder / f"{name}.trajectory.npz"
        return self.kind(self.transceiver.with_steps(steps), requests, self.params.batch_size, kept)

    def measure(self, cell: Cell) -> dict[str, NDArray[np.float32]]:
        """Metrics of a cell: `noise_free` [M, requests], and `values` [M, requests, S, D], NaN where none is needed."""
        runs = self.runs(cell.part, cell.block, cell.num_inference_steps)
        coded = cell.table.is_coded
        codec = cell.codec if coded else None
        if cell.table == TableKey(NOISE_FREE, cell.num_inference_steps):
            return {"noise_free": runs.reference()}
        if cell.receiver == NOISE_FREE:
            noise_free = runs.reference(codec)
        else:
            noise_free = runs.noise_free(cell.receiver, cell.split, codec)
        snr_db, draws = np.array(self.params.snr_db), 0 if coded else self.params.receivers[cell.receiver].draws
        if coded or not cell.split:
            shape = (*noise_free.shape, len(snr_db), draws)
            return {"noise_free": noise_free, "values": np.full(shape, np.nan, np.float32)}
        values = runs.table(cell.receiver, cell.split, snr_db, draws, self.search)
        return {"noise_free": noise_free, "values": values}


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
    measured = _worker().measure(cell)
    with whole_file(path) as file:
        np.savez_compressed(file, **measured)  # type: ignore[arg-type]


def _longest_first(params: MeasureParams, cell: Cell) -> tuple[bool, int]:
    """What all others need first, then the most expensive: the last ones to end are then short."""
    return cell.receiver != NOISE_FREE or cell.table.is_coded, -cost(params, cell)


def _first_requests_first(params: MeasureParams, cell: Cell) -> tuple[float, bool, int]:
    """Any beginning of this order holds the same share of every part's requests, for all tables."""
    return params.block(cell.part, cell.block).stop / params.requests[cell.part], *_longest_first(params, cell)
