"""The digital link: quantised latents in 5G LDPC code blocks over QAM, with retransmissions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from envs.channels.awgn import mean_power
from envs.channels.block_code import block_code, sionna_phy
from envs.channels.channel import Channel, Received
from envs.channels.mcs import BLOCK_BITS, MAX_TRANSMISSIONS, Scheme, pick
from envs.channels.quantiser import MAX_BITS, Quantised, dequantise, quantisation_variance, quantise
from envs.checks import choice, integer
from envs.units import FloatArray, db_to_linear

Fading = Literal["none", "rayleigh"]


@dataclass(frozen=True)
class Coded(Channel):
    """Error-free bits most of the time, at a rate that the SNR allows.

    A latent's bits are cut into blocks of equal size, at most `envs.channels.mcs.BLOCK_BITS`. The table picks
    constellation, code rate and copies from the SNR. The far end adds the soft bits of all copies of a block; a block
    whose checksum fails is sent again, up to `MAX_TRANSMISSIONS` times. Elements with bits in a block that is lost
    even then are set to zero, the mean of a latent.

    With fading, every copy of every block has its own gain, which the far end knows and the sender does not:
    the table goes by the mean SNR. Real elements of an error-free latent differ by quantisation alone.

    Attributes:
        num_bits: bits of a latent element.
        fading: `none` (AWGN) or `rayleigh`.

    Raises:
        ValueError: a value that is not allowed, or Sionna is not installed.
    """

    name: ClassVar[str] = "coded"
    SENDS_BITS: ClassVar[bool] = True

    num_bits: int = 8
    fading: Fading = "none"

    def __post_init__(self) -> None:
        integer("num_bits of channel coded", self.num_bits, 1, MAX_BITS)
        choice("fading of channel coded", self.fading, get_args(Fading))
        sionna_phy()

    def _send(self, latents: Tensor, snr_db: FloatArray, generators: Sequence[torch.Generator]) -> Received:
        sent = quantise(latents, self.num_bits)
        count, total = sent.bits.shape
        size = -(-total // -(-total // BLOCK_BITS))
        blocks = torch.nn.functional.pad(sent.bits, (0, -total % size)).reshape(count, -1, size)
        decoded, valid = torch.zeros_like(blocks), torch.zeros(blocks.shape[:2], dtype=torch.bool)
        channel_uses = np.zeros(count)
        for level in np.unique(snr_db):
            rows = np.flatnonzero(snr_db == level)
            link = _Link(pick(float(level)), 1 / db_to_linear(float(level)), self.fading == "rayleigh")
            decoded[rows], valid[rows], channel_uses[rows] = link.deliver(
                blocks[rows], [generators[int(i)] for i in rows]
            )
        received = dequantise(Quantised(decoded.flatten(1)[:, :total], sent.step), self.num_bits, latents)
        arrived = valid.repeat_interleave(size, dim=1)[:, :total].reshape(count, -1, self.num_bits).all(dim=2)
        received = received * arrived.reshape(latents.shape).to(latents)
        share = arrived.double().mean(dim=1).numpy()
        variance = share * quantisation_variance(sent.step) + (1 - share) * mean_power(latents)
        return Received(received, variance, channel_uses)


@dataclass(frozen=True)
class _Link:
    """Blocks of several latents under one scheme and SNR; symbols have unit energy."""

    scheme: Scheme
    n0: float
    fades: bool

    def deliver(self, blocks: Tensor, generators: list[torch.Generator]) -> tuple[Tensor, Tensor, FloatArray]:
        """Send uint8 [R, blocks, bits]: (decoded bits, bool [R, blocks] whether they arrived, symbols sent [R])."""
        rows, per_row, size = blocks.shape
        code = block_code(size, self.scheme.modulation)
        symbols = code.symbols(blocks.reshape(-1, size).float())
        soft_bits = torch.zeros(len(symbols), code.coded_bits)
        decoded = torch.zeros(len(symbols), size)
        valid = torch.zeros(len(symbols), dtype=torch.bool)
        channel_uses = np.zeros(rows)
        for _ in range(MAX_TRANSMISSIONS):
            waiting = torch.nonzero(~valid).flatten()
            if not len(waiting):
                break
            for _ in range(self.scheme.repeats):
                drawn = [self._draw(per_row, code.num_symbols, generator) for generator in generators]
                gain, noise = (torch.cat(parts)[waiting] for parts in zip(*drawn, strict=True))
                n0 = self.n0 / gain.square()
                soft_bits[waiting] += code.soft_bits(symbols[waiting] + n0.sqrt()[:, None] * noise, n0)
            decoded[waiting], valid[waiting] = code.decode(soft_bits[waiting])
            sent = np.bincount(waiting.numpy() // per_row, minlength=rows)
            channel_uses += sent * float(self.scheme.repeats * code.num_symbols)
        return decoded.reshape(blocks.shape).to(blocks), valid.reshape(rows, per_row), channel_uses

    def _draw(self, blocks: int, symbols: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Magnitudes of the gains [blocks], and noise of unit power [blocks, symbols], of one copy of every block."""
        unit = torch.randn(blocks, 1 + symbols, dtype=torch.complex64, generator=generator)
        return unit[:, 0].abs() if self.fades else torch.ones(blocks), unit[:, 1:]
