"""One code block of the coded link: checksum, 5G LDPC code, QAM, soft demapping, decoding, by Sionna."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

import torch
from torch import Tensor

from envs.channels.mcs import CRC_BITS, Modulation

DEVICE = "cpu"
"""Where the bits of the link are worked on, as its noise is."""


def sionna_phy() -> SimpleNamespace:
    """The parts of Sionna's `phy` that the coded link is made of.

    Importing it seeds torch's global generators (`sionna.phy.config`); they are left as they were.

    Raises:
        ValueError: it is not installed; names the extra that brings it.
    """
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            from sionna.phy.fec.crc import CRCDecoder, CRCEncoder
            from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
            from sionna.phy.mapping import Demapper, Mapper
    except ImportError as error:
        raise ValueError(
            f"channel coded needs Sionna's link-level library ({error}): install the extra phy, pip install '.[phy]'"
        ) from error
    return SimpleNamespace(
        CRCDecoder=CRCDecoder,
        CRCEncoder=CRCEncoder,
        Demapper=Demapper,
        LDPC5GDecoder=LDPC5GDecoder,
        LDPC5GEncoder=LDPC5GEncoder,
        Mapper=Mapper,
    )


CRC = "CRC24B"
NUM_ITERATIONS = 20
DECODE_BLOCKS = 256
"""Blocks decoded at once: their messages fill some hundred megabytes."""


class BlockCode:
    """Encodes and decodes blocks of equal size.

    Args:
        payload_bits: bits of a block without its checksum.
        modulation: constellation and code rate, at least 1/5.

    Raises:
        ValueError: Sionna is not installed, or a rate that the code does not have.
    """

    def __init__(self, payload_bits: int, modulation: Modulation) -> None:
        phy, bits = sionna_phy(), modulation.bits_per_symbol
        self.payload_bits, self.coded_bits = payload_bits, modulation.coded_bits(payload_bits)
        self.num_symbols = self.coded_bits // bits
        self._crc_encoder = phy.CRCEncoder(CRC, k=payload_bits, device=DEVICE)
        self._crc_decoder = phy.CRCDecoder(self._crc_encoder, device=DEVICE)
        encoder = phy.LDPC5GEncoder(payload_bits + CRC_BITS, self.coded_bits, bits, device=DEVICE)
        self._encoder, self._decoder = encoder, phy.LDPC5GDecoder(encoder, num_iter=NUM_ITERATIONS, device=DEVICE)
        self._mapper = phy.Mapper("qam", bits, device=DEVICE)
        self._demapper = phy.Demapper("app", "qam", bits, device=DEVICE)

    def symbols(self, bits: Tensor) -> Tensor:
        """Symbols of unit mean energy, complex64 [N, num_symbols], of payload bits [N, payload_bits]."""
        return self.modulate(self._encoder(self._crc_encoder(bits)))

    def modulate(self, coded_bits: Tensor) -> Tensor:
        """Symbols, complex64 [N, num_symbols], of coded bits [N, coded_bits]."""
        return self._mapper(coded_bits)

    def soft_bits(self, received: Tensor, n0: Tensor) -> Tensor:
        """Log-likelihood ratios ln P(1) / P(0), [N, coded_bits], of equalised symbols.

        Args:
            received: complex64 [N, num_symbols].
            n0: noise power per complex symbol, float32 [N].
        """
        return self._demapper(received, n0[:, None])

    def decode(self, soft_bits: Tensor) -> tuple[Tensor, Tensor]:
        """Payload bits [N, payload_bits], and whether each block's checksum holds, bool [N]."""
        checked = [self._crc_decoder(self._decoder(part)) for part in soft_bits.split(DECODE_BLOCKS)]
        return torch.cat([bits for bits, _ in checked]), torch.cat([valid[:, 0] for _, valid in checked])


@lru_cache(maxsize=64)
def block_code(payload_bits: int, modulation: Modulation) -> BlockCode:
    """The block code, made once: its graph takes longer to build than a block to decode."""
    return BlockCode(payload_bits, modulation)
