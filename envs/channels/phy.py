"""Sionna's link-level library, imported only where a coded link is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import torch

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
