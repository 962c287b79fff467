"""Latents as files: a uniform quantiser, scaled to each latent, and range coding of its cells.

The error of the quantiser is noise to whoever goes on with the latent. Gaussian elements x turn into `gain x + n`, with
n uncorrelated with x; both ends know gain and variance of n, which follow from the root mean square of the latent, so
that a receiver re-matches to it as to a channel's noise.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from constriction import stream
from numpy.typing import NDArray
from scipy.special import ndtr

from envs.channels.channel import Received
from envs.plans.codecs import LATENT_CODECS

if TYPE_CHECKING:
    from torch import Tensor

HEADER = struct.Struct("<f")
"""The root mean square of a latent, in front of its file."""
WORD = np.dtype("<u4")
"""What the entropy coder writes."""
REACH = 4
"""Root mean squares that `2^num_bits` cells reach to either side; there are four times as many, for what is beyond."""


@dataclass(frozen=True)
class LatentCodec:
    """Elements in cells around multiples of `2 REACH / 2^num_bits` root mean squares of their latent.

    Own choice: entropy coding makes the cells far out nearly free, so that nothing is clipped that matters, and what
    an element costs does not depend on how many a latent has.

    Attributes:
        num_bits: of an element, as it would be written without entropy coding.
    """

    num_bits: int

    @property
    def width(self) -> float:
        """Of a cell, in root mean squares."""
        return 2 * REACH / 2**self.num_bits

    def encode(self, latents: Tensor) -> list[bytes]:
        """A file for each of latents [B, C, h, w]."""
        scales, cells = self._cells(latents)
        return [HEADER.pack(scale) + self._coded(some) for scale, some in zip(scales, cells, strict=True)]

    def decode(self, files: Sequence[bytes], like: Tensor) -> Received:
        """What files hold, of the shape, type and device of `like` [B, C, h, w], with the noise that it now carries.

        Raises:
            ValueError: another number of files than of latents, or something that is no such file.
        """
        if len(files) != len(like) or any(len(file) < HEADER.size or len(file) % WORD.itemsize for file in files):
            raise ValueError(
                f"give a file of a latent for each of {len(like)}, got {[len(file) for file in files]} bytes"
            )
        scales = np.array([HEADER.unpack_from(file)[0] for file in files])
        cells = np.stack([self._decoded(file[HEADER.size :], like[0].numel()) for file in files])
        gain, variance = self.noise
        values = like.new_tensor(cells * self.width * scales[:, None]).reshape(like.shape)
        return Received(values, variance * scales**2, np.zeros(len(files)), np.full(len(files), gain))

    @property
    def noise(self) -> tuple[float, float]:
        """Gain and noise variance for Gaussian elements of variance one.

        Source: own derivation (Bussgang's decomposition of the quantiser, summed over its cells).
        """
        middles = np.arange(-self._most, self._most + 1) * self.width
        edges = np.concatenate([[-np.inf], (middles[1:] + middles[:-1]) / 2, [np.inf]])
        density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
        gain = float(-np.diff(density) @ middles)
        return gain, float(np.diff(ndtr(edges)) @ middles**2) - gain**2

    def bits_per_element(self, latents: Tensor) -> float:
        """What the entropy coder needs for latents [B, C, h, w] as one message, whose last word is not filled."""
        _, cells = self._cells(latents)
        return 8 * len(self._coded(cells.reshape(-1))) / cells.size

    @property
    def _most(self) -> int:
        return 2 ** (self.num_bits + 1)

    def _cells(self, latents: Tensor) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        values = latents.detach().cpu().double().flatten(1).numpy()
        scales = np.sqrt(np.square(values).mean(axis=1)).astype(np.float32)  # as the far end reads them
        widths = np.where(scales > 0, self.width * scales.astype(np.float64), 1.0)
        cells = np.rint(values / widths[:, None]).clip(-self._most, self._most)
        return scales, cells.astype(np.int32)

    def _coded(self, cells: NDArray[np.int32]) -> bytes:
        encoder = stream.queue.RangeEncoder()
        encoder.encode(cells, self._model())
        return bytes(encoder.get_compressed().astype(WORD).tobytes())

    def _decoded(self, payload: bytes, count: int) -> NDArray[np.int32]:
        decoder = stream.queue.RangeDecoder(np.frombuffer(payload, WORD).astype(np.uint32))
        return np.asarray(decoder.decode(self._model(), count))

    def _model(self) -> Any:
        """A Gaussian over the cells, of the variance that every scaled latent has."""
        return stream.model.QuantizedGaussian(-self._most, self._most, 0.0, 1.0 / self.width)


def latent_codec(name: str) -> LatentCodec:
    """The codec of a name, `u2` to `u8`: uniform cells of so many bits.

    Raises:
        ValueError: another name.
    """
    if name not in LATENT_CODECS:
        raise ValueError(f"unknown codec of latents {name!r}; allowed: {', '.join(LATENT_CODECS)}")
    return LatentCodec(int(name[1:]))
