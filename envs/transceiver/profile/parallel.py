"""Measuring of a whole profile in parallel and resumable parts."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from envs.channels import make_channel
from envs.files import whole_file
from envs.transceiver.model.folders import model_fingerprint, model_folder
from envs.transceiver.model.loading import read_tokenizer
from envs.transceiver.model.vocabulary import UnknownWordsWarning, known_words
from envs.transceiver.profile.measurement import Measurement
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.receivers import receiver_named

SHARED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler", "classifier")
"""What every receiver's measurement depends on."""
FORWARDS_OF_A_DECODING = 12
"""Weight of decoding and judging an image in the progress bar, in forwards of the light UNet."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"

Tables = dict[str, NDArray[np.float32]]
"""Receiver -> [M, R, T + 1, S, D]."""


def measure_profile(params: MeasureParams, folder: Path, workers: int, threads: int) -> QualityProfile:
    """Measure the whole profile; see `measure_tables`."""
    return QualityProfile(params.requests(), params.snr_db, *measure_tables(params, folder, workers, threads))


def measure_tables(
    params: MeasureParams, folder: Path, workers: int, threads: int, kind: type[Measurement] = Measurement
) -> tuple[Tables, NDArray[np.float32], dict[str, str]]:
    """Measure every receiver at every split, in parallel.

    Args:
        params: what is measured.
        folder: finished parts are kept here; a run that was stopped goes on from them. One folder for each kind.
        workers, threads: processes, and torch threads of each.
        kind: what is measured of an image.

    Returns:
        (tables, those of the noise-free images [M, R], fingerprint of model, schedule and channel).
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = params.num_inference_steps
    header = folder / f"reference.{_digest(params)}.npz"
    parts = [(name, split) for name in params.receivers for split in range(steps, -1, -1)]
    files = {part: _part_file(folder, params, *part) for part in parts}
    todo = [part for part in parts if not files[part].exists()]
    total, left = (sum(_cost(params, *part) for part in some) for some in (parts, todo))
    bar = tqdm(total=total, initial=total - left, desc="profile", bar_format=BAR)  # by cost, for the time that is left
    bar.set_postfix_str(f"{len(parts) - len(todo)} of {len(parts)} cells")
    if todo or not header.exists():
        tokenizer = read_tokenizer(model_folder(params.model) / "tokenizer")
        known_words(tokenizer, [request.prompt for request in params.requests()])
        pool = ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(params, threads, kind)
        )
        try:
            pool.submit(_measure_reference, str(header)).result()
            futures = {pool.submit(_measure_part, str(files[part]), *part): part for part in todo}
            for measured, future in enumerate(as_completed(futures), len(parts) - len(todo) + 1):
                future.result()
                bar.set_postfix_str(f"{measured} of {len(parts)} cells", refresh=False)
                bar.update(_cost(params, *futures[future]))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    bar.close()
    tables = {
        name: np.stack([np.load(files[name, split]) for split in range(steps + 1)], axis=2) for name in params.receivers
    }
    with np.load(header) as data:
        reference, fingerprint = data["reference"], json.loads(str(data["fingerprint"]))
    return tables, reference, fingerprint


_worker: Callable[[], Measurement]


def _start_worker(params: MeasureParams, threads: int, kind: type[Measurement]) -> None:
    global _worker
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore", UnknownWordsWarning)  # said once, where the workers are started
    _worker = cache(partial(kind, params))  # made by the first part: an error here would break the pool


def _measure_reference(path: str) -> None:
    worker = _worker()
    fingerprint = json.dumps(worker.transceiver.fingerprint)
    with whole_file(path) as file:
        np.savez(file, reference=worker.reference(), fingerprint=np.array(fingerprint))


def _measure_part(path: str, receiver: str, split: int) -> None:
    with whole_file(path) as file:
        np.save(file, _worker().part(receiver, split))


def _cost(params: MeasureParams, receiver: str, split: int) -> int:
    forwards = (params.num_inference_steps - split) * (6 if receiver_named(receiver).guided else 1)
    return (forwards + FORWARDS_OF_A_DECODING) * params.receivers[receiver] * params.num_requests * len(params.snr_db)


def _digest(params: MeasureParams, receiver: str | None = None) -> str:
    """Name of the parts that one receiver gives under these settings.

    It follows only the networks that the receiver uses, so that its parts outlive another receiver's training;
    without a receiver it follows the whole model.
    """
    spec = None if receiver is None else receiver_named(receiver)
    facts: list[object] = [
        model_fingerprint(params.model, params.options, None if spec is None else [*SHARED, spec.network]),
        None if spec is None else asdict(spec),
        [[request.prompt, request.seed] for request in params.requests()],
        params.snr_db,
        params.num_inference_steps,
        params.guidance_scale,
        make_channel(params.channel).fingerprint,
        params.options.dtype,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _part_file(folder: Path, params: MeasureParams, receiver: str, split: int) -> Path:
    return folder / f"{_digest(params, receiver)}.{receiver}.{params.receivers[receiver]}.{split:03d}.npy"
