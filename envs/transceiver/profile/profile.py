"""The measured quality profile: what the live transceiver delivered, as a table with named axes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.files import whole_file

METRICS = ("alignment", "psnr_db", "ssim", "mse")
SHIPPED_PROFILE = Path(__file__).parents[1] / "weights" / "profile.npz"
FORMAT = "split-diffusion quality profile, version 1"
PSNR_CAP_DB = 60.0


@dataclass(frozen=True)
class Request:
    """What a user asks for: a prompt, and the seed of the initial noise."""

    prompt: str
    seed: int


class QualityProfile:
    """Quality of the delivered image over receiver x metric x request x split x SNR x channel draw.

    The same unit noise is used at every SNR of one (request, draw), so that interpolation along the SNR
    axis follows one channel realisation. At split 0 nothing crosses the channel and all SNRs and draws
    hold the same value.

    Args:
        requests: R requests.
        snr_db: [S] increasing SNRs in dB.
        tables: receiver -> float array [M, R, T + 1, S, D_receiver], metrics in the order of METRICS.
        reference: float array [M, R], the unsplit generator over a perfect link.
        fingerprint: what the table was measured with: weights, scheduler, guidance, channel.

    Raises:
        ValueError: shapes that do not fit each other, or values that are not finite.
    """

    def __init__(
        self,
        requests: tuple[Request, ...],
        snr_db: ArrayLike,
        tables: dict[str, NDArray[np.floating]],
        reference: ArrayLike,
        fingerprint: dict[str, str],
    ) -> None:
        self.requests = tuple(requests)
        self.snr_db: NDArray[np.float64] = np.asarray(snr_db, dtype=np.float64)
        self.fingerprint = dict(fingerprint)
        self._tables = {name: np.ascontiguousarray(table, dtype=np.float32) for name, table in tables.items()}
        self._reference = np.asarray(reference, dtype=np.float32)
        self._validate()

    @property
    def receivers(self) -> tuple[str, ...]:
        """Names of the measured receivers."""
        return tuple(self._tables)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the measured metrics."""
        return METRICS

    @property
    def num_inference_steps(self) -> int:
        """T, the denoising steps of a whole generation."""
        return next(iter(self._tables.values())).shape[2] - 1

    def values(self, receiver: str, metric: str) -> NDArray[np.float32]:
        """The table of one receiver and metric, [R, T + 1, S, D]."""
        return self._tables[self._receiver(receiver)][_metric(metric)]

    def reference(self, metric: str) -> NDArray[np.float32]:
        """The metric of the unsplit generator's image over a perfect link, [R]."""
        return self._reference[_metric(metric)]

    def draws(self, receiver: str) -> int:
        """Measured channel draws of a receiver."""
        return int(self._tables[self._receiver(receiver)].shape[-1])

    def first_draws(self, draws: int) -> QualityProfile:
        """The same with at most the first `draws` channel draws of each receiver.

        Raises:
            ValueError: fewer than one.
        """
        if draws < 1:
            raise ValueError(f"draws must be >= 1, got {draws}")
        tables = {name: table[..., :draws] for name, table in self._tables.items()}
        return QualityProfile(self.requests, self.snr_db, tables, self._reference, self.fingerprint)

    def check_measured_with(self, fingerprint: dict[str, str]) -> None:
        """Refuse to stand for another transceiver.

        Args:
            fingerprint: `Transceiver.fingerprint`.

        Raises:
            ValueError: naming what the profile was measured with and what is given.
        """
        for name, given in fingerprint.items():
            if self.fingerprint.get(name) != given:
                raise ValueError(f"measured with {name} {self.fingerprint.get(name)!r}, the transceiver has {given!r}")

    def save(self, path: str | Path) -> None:
        """Write the profile as plain arrays (npz), under a temporary name first."""
        header = {
            "format": FORMAT,
            "requests": [[r.prompt, r.seed] for r in self.requests],
            "fingerprint": self.fingerprint,
            "metrics": METRICS,
        }
        arrays: dict[str, Any] = {f"receiver.{name}": table.astype(np.float16) for name, table in self._tables.items()}
        arrays |= {"header": np.array(json.dumps(header)), "snr_db": self.snr_db, "reference": self._reference}
        with whole_file(path) as partial:
            np.savez_compressed(partial, **arrays)

    @classmethod
    def load(cls, path: str | Path | None = None) -> QualityProfile:
        """Read a profile; nothing in the file is executed.

        Args:
            path: an `.npz` written by `save`; None is the profile shipped with the embedded model.

        Raises:
            ValueError: the file is missing, unreadable, or not a quality profile.
        """
        path = SHIPPED_PROFILE if path is None else Path(path)
        if not path.is_file():
            raise ValueError(f"no quality profile at {path}: give a file that `python -m envs make_profile` wrote")
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
            header = json.loads(str(arrays.pop("header")))
            if header["format"] != FORMAT or tuple(header["metrics"]) != METRICS:
                raise ValueError(f"format {header['format']!r}, expected {FORMAT!r}")
            requests = tuple(Request(str(prompt), int(seed)) for prompt, seed in header["requests"])
            snr_db, reference = arrays.pop("snr_db"), arrays.pop("reference")
            tables = {name.removeprefix("receiver."): table for name, table in arrays.items()}
            return cls(requests, snr_db, tables, reference, header["fingerprint"])
        except Exception as error:
            raise ValueError(f"{path} is not a readable quality profile: {error}") from error

    def _receiver(self, name: str) -> str:
        if name not in self._tables:
            raise ValueError(f"receiver {name!r} is not in this profile: it holds {', '.join(self._tables)}")
        return name

    def _validate(self) -> None:
        shape = (len(METRICS), len(self.requests))
        steps = {table.shape[2] for table in self._tables.values() if table.ndim == 5}
        if len(self.snr_db) < 2 or not np.all(np.diff(self.snr_db) > 0):
            raise ValueError(f"snr_db must be increasing with two entries or more, got {self.snr_db}")
        if not self._tables or len(steps) != 1:
            raise ValueError(f"receivers must share one number of splits, got {steps or 'no receivers'}")
        for name, table in self._tables.items():
            if table.ndim != 5 or table.shape[:2] != shape or table.shape[3] != len(self.snr_db):
                raise ValueError(
                    f"receiver {name!r} has shape {table.shape}, expected {(*shape, *steps, len(self.snr_db), 'D')}"
                )
            if not np.isfinite(table).all():
                raise ValueError(f"receiver {name!r} holds values that are not finite")
        if self._reference.shape != shape:
            raise ValueError(f"reference has shape {self._reference.shape}, expected {shape}")


def _metric(name: str) -> int:
    if name not in METRICS:
        raise ValueError(f"unknown metric {name!r}: choose from {', '.join(METRICS)}")
    return METRICS.index(name)
