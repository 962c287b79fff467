"""The measured quality profile: what the live transceiver delivered, as tables with named axes. docs/profile.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import checks
from envs.files import whole_file
from envs.transceiver.profile.table import METRICS, NOISE_FREE, PSNR_CAP_DB, QualityTable, Table, TableKey

SHIPPED_PROFILE = Path(__file__).parents[1] / "weights" / "profile.npz"
FORMAT = "split-diffusion quality profile, version 2"
TRAIN, TEST, ALL = "train", "test", "all"
PARTS = (TRAIN, TEST)
"""Requests that policies are fitted on, and others that they are judged on."""
PROMPT = "prompt"
"""The kind of request that is a prompt and a seed."""
STORED = METRICS[:3]
"""Metrics in the file; the MSE follows from the PSNR."""


@dataclass(frozen=True)
class Request:
    """What a user asks for: a prompt, and the seed of the initial noise."""

    prompt: str
    seed: int


@dataclass(frozen=True, eq=False)
class ProfilePart:
    """What was measured on some requests.

    Attributes:
        name: `train`, `test` or `all`.
        requests: N requests.
        references: T -> float32 [M, N], the unsplit generator's images over a perfect link, which similarity is
            measured against.
        tables: by receiver, number of steps T and codec; each on N requests or fewer.
    """

    name: str
    requests: tuple[Request, ...]
    references: Mapping[int, Table]
    tables: Mapping[TableKey, QualityTable]

    @property
    def receivers(self) -> tuple[str, ...]:
        """Names of the measured receivers."""
        return tuple(dict.fromkeys(key.receiver for key in self.tables if key.receiver != NOISE_FREE))

    def table(self, key: TableKey) -> QualityTable:
        """A table.

        Raises:
            ValueError: it was not measured; which were.
        """
        if key not in self.tables:
            held = ", ".join(map(str, self.tables)) or "none"
            raise ValueError(
                f"the profile has no table of {key} for its {self.name} requests; it has {held} "
                "(python -m envs make_profile measures more)"
            )
        return self.tables[key]

    def reference(self, num_inference_steps: int, metric: str) -> Table:
        """A metric of the noise-free images of T steps, [N].

        Raises:
            ValueError: an unknown metric, or a T that was not measured.
        """
        if num_inference_steps not in self.references:
            held = ", ".join(map(str, self.references))
            raise ValueError(f"images of T = {num_inference_steps} were not measured, only of T = {held}")
        checks.choice("metric", metric, METRICS)
        return self.references[num_inference_steps][METRICS.index(metric)]


class QualityProfile:
    """The tables of a file, by kind of request and part.

    Args:
        parts: (kind, part) -> what was measured.
        num_inference_steps: T of plans that do not say theirs.
        fingerprint: of the whole model, sampler and channel, for reports; what is compared is each table's own.

    Raises:
        ValueError: no part.
    """

    def __init__(
        self,
        parts: Mapping[tuple[str, str], ProfilePart],
        num_inference_steps: int,
        fingerprint: Mapping[str, str],
    ) -> None:
        if not parts:
            raise ValueError("a profile needs requests")
        self.parts, self.num_inference_steps = dict(parts), num_inference_steps
        self.fingerprint = dict(fingerprint)

    def part(self, name: str, kind: str = PROMPT) -> ProfilePart:
        """Some of the requests.

        Args:
            name: `train`, `test` or `all`.
            kind: of the requests.

        Raises:
            ValueError: an unknown name, or requests that the file lacks.
        """
        checks.choice("requests", name, (*PARTS, ALL))
        if (kind, name) in self.parts:
            return self.parts[kind, name]
        held = [part for (other, _), part in self.parts.items() if other == kind]
        if name != ALL or not held:
            listed = ", ".join(part.name for part in held) or "none"
            raise ValueError(f"the profile has no {name} requests of kind {kind!r}; it has {listed}")
        return _joined(held)

    def limited(self, requests: int | None = None, draws: int | None = None) -> QualityProfile:
        """The same with at most the first requests of each part, and channel draws of each table.

        Raises:
            ValueError: fewer than one.
        """
        for name, count in (("requests", requests), ("draws", draws)):
            checks.integer(name, 1 if count is None else count, 1)
        parts = {
            place: replace(
                part,
                requests=part.requests[:requests],
                references={steps: values[:, :requests] for steps, values in part.references.items()},
                tables={key: table.limited(requests, draws) for key, table in part.tables.items()},
            )
            for place, part in self.parts.items()
        }
        return QualityProfile(parts, self.num_inference_steps, self.fingerprint)

    def save(self, path: str | Path) -> None:
        """Write the profile as plain arrays (npz), under a temporary name first. The format: docs/profile.md."""
        header: dict[str, Any] = {"format": FORMAT, "num_inference_steps": self.num_inference_steps}
        header |= {"metrics": STORED, "fingerprint": self.fingerprint, "parts": []}
        arrays: dict[str, Any] = {}
        for (kind, name), part in self.parts.items():
            listed = []
            for steps, values in part.references.items():
                arrays[f"{kind}/{name}/{steps}"] = values[: len(STORED)].astype(np.float16)
            for key, table in part.tables.items():
                place = "/".join([kind, name, *map(str, key)])
                known = ~np.isnan(table.measured[0])
                arrays[f"{place}/known"] = np.packbits(known)
                arrays[f"{place}/values"] = table.measured[: len(STORED), known].astype(np.float16)
                arrays[f"{place}/noise_free"] = table.noise_free[: len(STORED)].astype(np.float16)
                about = {"splits": table.splits, "snr_db": table.snr_db.tolist(), "draws": table.draws}
                about |= {"requests": len(table.rows), "fingerprint": dict(table.fingerprint)}
                listed.append([*key, about])
            asked = [[request.prompt, request.seed] for request in part.requests]
            steps_held = list(part.references)
            header["parts"].append([kind, name, {"requests": asked, "steps": steps_held, "tables": listed}])
        with whole_file(path) as partial:
            np.savez_compressed(partial, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | Path | None = None) -> QualityProfile:
        """Read a profile; nothing in the file is executed. One that has not changed is not read again.

        Args:
            path: an `.npz` written by `save`; None is the profile shipped with the embedded model.

        Raises:
            ValueError: the file is missing, unreadable, or not a quality profile.
        """
        path = SHIPPED_PROFILE if path is None else Path(path)
        if not path.is_file():
            raise ValueError(f"no quality profile at {path}: give a file that `python -m envs make_profile` wrote")
        return _read(path.resolve(), path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _: int, __: int) -> QualityProfile:
    try:
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        header = json.loads(str(arrays["header"]))
        if header["format"] != FORMAT or tuple(header["metrics"]) != STORED:
            raise ValueError(f"format {header['format']!r}, expected {FORMAT!r}: measure it anew")
        parts = {
            (kind, name): _read_part(f"{kind}/{name}", name, about, arrays) for kind, name, about in header["parts"]
        }
        return QualityProfile(parts, int(header["num_inference_steps"]), header["fingerprint"])
    except Exception as error:
        raise ValueError(f"{path} is not a readable quality profile: {error}") from error


def _read_part(place: str, name: str, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ProfilePart:
    tables = {}
    for *key, axes in about["tables"]:
        table = "/".join([place, *map(str, key)])
        shape = axes["requests"], len(axes["splits"]), len(axes["snr_db"]), axes["draws"]
        known = np.unpackbits(arrays[f"{table}/known"], count=int(np.prod(shape))).astype(bool).reshape(shape)
        measured = np.full((len(METRICS), *shape), np.nan, dtype=np.float32)
        measured[:, known] = _with_mse(arrays[f"{table}/values"])
        tables[TableKey(*key)] = QualityTable(
            tuple(axes["splits"]),
            np.array(axes["snr_db"], dtype=np.float64),
            measured,
            _with_mse(arrays[f"{table}/noise_free"]),
            axes["fingerprint"],
            np.arange(axes["requests"]),
        )
    references = {steps: _with_mse(arrays[f"{place}/{steps}"]) for steps in about["steps"]}
    requests = tuple(Request(str(prompt), int(seed)) for prompt, seed in about["requests"])
    return ProfilePart(name, requests, references, tables)


def _with_mse(stored: NDArray[np.floating]) -> Table:
    """All metrics [M, ...] of those that are stored."""
    values = stored.astype(np.float32)
    psnr_db = values[STORED.index("psnr_db")]
    mse = np.where(psnr_db >= PSNR_CAP_DB, 0.0, 10.0 ** (-psnr_db / 10))
    return np.concatenate([values, mse[None].astype(np.float32)])


def _joined(parts: Sequence[ProfilePart]) -> ProfilePart:
    """All requests: the tables that every part has, at the SNRs of all of them and the channel draws of the fewest."""
    shared = [key for key in parts[0].tables if all(key in part.tables for part in parts)]
    starts = np.cumsum([0, *(len(part.requests) for part in parts)])
    tables = {}
    for key in shared:
        each = [part.tables[key] for part in parts]
        splits = tuple(sorted(set.intersection(*(set(table.splits) for table in each))))
        snr_db, draws = np.unique(np.concatenate([table.snr_db for table in each])), min(t.draws for t in each)
        kept = [[table.splits.index(split) for split in splits] for table in each]
        tables[key] = QualityTable(
            splits,
            snr_db,
            np.concatenate([t.at(snr_db)[:, :, k, :, :draws] for t, k in zip(each, kept, strict=True)], axis=1),
            np.concatenate([t.noise_free[:, :, k] for t, k in zip(each, kept, strict=True)], axis=1),
            each[0].fingerprint,
            np.concatenate([t.rows + start for t, start in zip(each, starts, strict=False)]),
        )
    steps = [steps for steps in parts[0].references if all(steps in part.references for part in parts)]
    references = {each: np.concatenate([part.references[each] for part in parts], axis=1) for each in steps}
    return ProfilePart(ALL, tuple(request for part in parts for request in part.requests), references, tables)
