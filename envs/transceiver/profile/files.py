"""The cells of a measured profile: which there are, their files, and what is gathered of them.

A cell is some requests of one receiver with one T at one split. Its file is written whole, so that the files that are
there are all that anybody has to know; what a cell holds does not depend on who measures it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.channels import make_channel
from envs.transceiver.model.folders import SHARED, model_fingerprint, networks_fingerprint, transceiver_fingerprint
from envs.transceiver.profile.profile import PROMPT, ProfilePart, QualityProfile, Request
from envs.transceiver.profile.settings import MeasureParams, snrs_measured
from envs.transceiver.profile.table import NOISE_FREE, UNCODED, QualityTable, TableKey
from envs.transceiver.receivers import LIGHT, receiver_named

FORWARDS_OF_A_DECODING = 12
"""Cost of decoding and judging an image, in forwards of a light UNet; one of the generator's is 3."""
NAMED = 4
"""Missing cells that a message names."""

Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Cell:
    """What is measured at once: a block of requests, at all SNRs and channel draws.

    Attributes:
        part: of the requests.
        block: which of them, so many at a time.
        receiver: its name, or `NOISE_FREE`.
        num_inference_steps: T.
        split: steps at the edge.
        codec: of what is handed over, or of the noise-free images.
    """

    part: str
    block: int
    receiver: str
    num_inference_steps: int
    split: int
    codec: str = UNCODED

    @property
    def table(self) -> TableKey:
        """The table that it is a part of."""
        return TableKey(self.receiver, self.num_inference_steps, self.codec)

    def __str__(self) -> str:
        return f"{self.table} at split {self.split}, {self.part} requests, block {self.block}"


def gather_profile(params: MeasureParams, folder: Path, whole: bool = True) -> QualityProfile:
    """One profile of what the cells of a folder hold; nothing is loaded but they.

    Args:
        params: what was measured.
        folder: of the cells.
        whole: whether all have to be there; else each table gets the first requests that are.

    Raises:
        ValueError: cells that are missing, some of them by name; or nothing is there.
    """
    files = cell_files(params, folder)
    missing = [cell for cell, file in files.items() if not file.is_file()]
    if missing and whole:
        named = "; ".join(map(str, missing[:NAMED]))
        more = f" and {len(missing) - NAMED:,} more" if len(missing) > NAMED else ""
        raise ValueError(f"{len(missing):,} of {len(files):,} cells are not in {folder}: {named}{more}")
    sampler = params.num_inference_steps, params.guidance_scale
    channel = {"channel": make_channel(params.channel).fingerprint}
    about = transceiver_fingerprint(params.model, params.options, *sampler) | channel
    parts = {(PROMPT, part): _part(params, part, gather_tables(params, part, files)) for part in params.requests}
    if empty := [part.name for part in parts.values() if not part.tables]:
        raise ValueError(f"too few cells are in {folder} for any table of the {' and '.join(empty)} requests")
    return QualityProfile(parts, params.num_inference_steps, about)


def gather_tables(params: MeasureParams, part: str, files: Mapping[Cell, Path]) -> dict[TableKey, Arrays]:
    """What the files of cells hold of a part, of the blocks that are there from the first one on.

    Returns:
        Table (of a receiver or `NOISE_FREE`) -> arrays by name: `noise_free` [M, R, K] and, of all but the noise-free
        images as they are, `values` [M, R, K, S, D].
    """
    by_table: dict[TableKey, dict[int, list[Path]]] = {}
    for cell, file in files.items():
        if cell.part == part:
            by_table.setdefault(cell.table, {}).setdefault(cell.block, []).append(file)
    tables: dict[TableKey, Arrays] = {}
    for key, blocks in by_table.items():
        there = list(takewhile(lambda some: all(file.is_file() for file in some), blocks.values()))
        count = _count(params, key, part)
        if there:
            cells = [[dict(np.load(file)) for file in some] for some in there]
            tables[key] = {
                array: np.concatenate([np.stack([cell[array] for cell in some], axis=2) for some in cells], 1)[
                    :, :count
                ]
                for array in cells[0][0]
            }
    return tables


def _part(params: MeasureParams, name: str, measured: Mapping[TableKey, Arrays]) -> ProfilePart:
    whole = {
        key.num_inference_steps: arrays["noise_free"][..., 0]
        for key, arrays in measured.items()
        if key.receiver == NOISE_FREE and not key.is_coded
    }
    count = min((values.shape[1] for values in whole.values()), default=0)
    tables, splits = {}, tables_of(params)
    for key, arrays in measured.items():
        if "values" in arrays:
            table = QualityTable(
                splits[key],
                np.array(params.snr_db),
                arrays["values"],
                arrays["noise_free"],
                table_fingerprint(params, key),
                np.arange(arrays["values"].shape[1]),
            )
            tables[key] = table.limited(count, None)
    references = {steps: values[:, :count] for steps, values in whole.items()}
    return ProfilePart(name, params.requests_of(name)[:count], references, tables)


def table_fingerprint(params: MeasureParams, key: TableKey) -> dict[str, str]:
    """What a table depends on besides its axes; what is coded meets no channel."""
    steps, network = key.num_inference_steps, table_network(key)
    networks = networks_fingerprint(params.model, params.options, steps, params.guidance_scale, network)
    return networks if key.is_coded else networks | {"channel": make_channel(params.channel).fingerprint}


def table_network(key: TableKey) -> str:
    """The network of a table's receiver; the generator's for its noise-free images."""
    return "unet" if key.receiver == NOISE_FREE else receiver_named(key.receiver).network


def tables_of(params: MeasureParams) -> dict[TableKey, tuple[int, ...]]:
    """All tables -> the splits that are measured; those of the noise-free images come first."""
    receivers: dict[TableKey, tuple[int, ...]] = {}
    for name, axes in params.receivers.items():
        for codec in (UNCODED, *axes.codecs):
            receivers |= {TableKey(name, steps, codec): tuple(range(steps + 1)) for steps in axes.num_inference_steps}
        receivers |= {TableKey(name, steps): (0,) for steps in axes.local_steps}
    every = dict.fromkeys(key.num_inference_steps for key in receivers)
    whole = {TableKey(NOISE_FREE, steps, codec): (steps,) for codec in (UNCODED, *params.codecs) for steps in every}
    return whole | receivers


def _count(params: MeasureParams, key: TableKey, part: str) -> int:
    """How many requests of a part a table is measured on."""
    whole = key.receiver == NOISE_FREE or key.num_inference_steps in params.receivers[key.receiver].local_steps
    return params.requests[part] if whole else params.count(key.receiver, part)


def cell_files(params: MeasureParams, folder: Path) -> dict[Cell, Path]:
    """All cells, and their files; those of a table by block, then by split."""
    files: dict[Cell, Path] = {}
    for part in params.requests:
        requests = params.requests_of(part)
        for key, splits in tables_of(params).items():
            name, steps, codec = key
            for block in range(-(-_count(params, key, part) // params.requests_per_cell)):
                name_of = cells_name(params, key, requests[params.block(part, block)])
                for split in splits:
                    file = f"{name_of}.{name}{f'-{codec}' * key.is_coded}.{steps}.{split:03d}.npz"
                    files[Cell(part, block, name, steps, split, codec)] = folder / file
    return files


def cost(params: MeasureParams, cell: Cell) -> int:
    """Of a cell, in forwards of a light UNet for one latent; from the trajectory on, where there is a receiver."""
    rows, steps = params.block(cell.part, cell.block), cell.num_inference_steps
    if cell.receiver == NOISE_FREE:
        return (rows.stop - rows.start) * (6 * steps * (not cell.table.is_coded) + FORWARDS_OF_A_DECODING)
    noisy = cell.split and not cell.table.is_coded
    images = 1 + (params.receivers[cell.receiver].draws * snrs_measured(params) if noisy else 0)
    spec = receiver_named(cell.receiver)
    a_step = (2 if spec.guided else 1) * (1 if spec.network in LIGHT else 3)
    return (rows.stop - rows.start) * images * (a_step * (steps - cell.split) + FORWARDS_OF_A_DECODING)


def cells_name(params: MeasureParams, key: TableKey, requests: tuple[Request, ...]) -> str:
    """Name of what a table's receiver gives for some requests under these settings.

    It follows only the networks that the receiver uses, so that its cells outlive another receiver's training, and only
    these requests, so that they outlive others.
    """
    facts: list[object] = [
        [[request.prompt, request.seed] for request in requests],
        key.num_inference_steps,
        params.guidance_scale,
        params.options.dtype,
        params.batch_size,
    ]
    if key.receiver == NOISE_FREE:
        facts += [model_fingerprint(params.model, params.options, SHARED)]
    else:
        facts += [table_fingerprint(params, key), asdict(receiver_named(key.receiver))]
        searched = [params.snr_db, params.first_snr_db, dict(params.accepted), params.receivers[key.receiver].draws]
        facts += [key.codec] if key.is_coded else searched
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
