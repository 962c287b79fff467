"""What every channel offers, and channels by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from envs import checks
from envs.units import FloatArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Received(NamedTuple):
    """What B latents became on the link.

    Attributes:
        latents: [B, C, H, W] as the channel gave them, `gain x + n` of the latents x that were sent.
        noise_variance: variance of n per real element, as the far end knows it, float64 [B].
        channel_uses: complex symbols that were sent (bits, where the channel takes bits), float64 [B].
        gain: known to the far end, one or float64 [B]; n has mean 0 for every x.
    """

    latents: Tensor
    noise_variance: FloatArray
    channel_uses: FloatArray
    gain: FloatArray | float = 1.0


@dataclass(frozen=True)
class Channel(ABC):
    """A wireless link for latents; its fields are its parameters.

    Attributes:
        name: how configurations call it.
    """

    name: ClassVar[str]
    SENDS_BITS: ClassVar[bool] = False
    """Whether latents cross as bits, not as analogue symbols."""

    @property
    def fingerprint(self) -> str:
        """Name and parameters in one line; a measured profile is of one such channel."""
        return ", ".join([self.name, *(f"{field.name} {getattr(self, field.name)}" for field in fields(self))])

    def send(self, latents: Tensor, snr_db: ArrayLike, generators: Sequence[torch.Generator]) -> Received:
        """Send latents over the link.

        Args:
            latents: [B, C, H, W].
            snr_db: SNR in dB, one or B.
            generators: one a request: all randomness comes from them, so that a request meets the same channel in
                every batch; but for the coded link, whose symbols change with the SNR, also at every SNR.

        Raises:
            ValueError: an SNR that is not finite, or another number of SNRs or generators than of latents.
        """
        count = len(latents)
        levels = np.asarray(snr_db, dtype=np.float64)
        check_snr_db(levels)
        if levels.shape not in ((), (count,)) or len(generators) != count:
            raise ValueError(
                f"give one SNR and one generator for each latent, got {levels.size} and {len(generators)} for {count}"
            )
        return self._send(latents, np.broadcast_to(levels, (count,)), generators)

    @abstractmethod
    def _send(self, latents: Tensor, snr_db: FloatArray, generators: Sequence[torch.Generator]) -> Received:
        """Do it, with checked arguments and `snr_db` float64 [B]."""


def check_snr_db(snr_db: FloatArray) -> None:
    """Refuse NaN and infinite SNRs with a ValueError."""
    if not np.isfinite(snr_db).all():
        raise ValueError(f"snr_db must be finite (None is a perfect link), got {snr_db}")


CHANNELS = {"awgn": "Awgn", "rayleigh": "Rayleigh", "bit_flip": "BitFlip", "coded": "Coded"}
"""Name, which is its module's too -> class. Torch is imported when a channel is made."""

ChannelChoice = str | Mapping[str, Any] | Channel
"""A name, a mapping with the key `name` and parameters (as configs/channel/*.yaml hold), or the channel itself.

The name may be `module:Class` or `FILE.py:Class`, a channel of one's own, see `envs.checks.import_object`.
"""


def make_channel(choice: ChannelChoice) -> Channel:
    """Make the channel that a configuration names; parameters that are left out take their defaults.

    Raises:
        ValueError: an unknown name or parameter, a value that is not allowed, or a channel whose library is not
            installed.
    """
    if isinstance(choice, Channel):
        return choice
    name, parameters = checks.named("channel", choice)
    kind: type[Channel]
    if ":" in name:
        kind = checks.import_class("channel", name, Channel)
    else:
        checks.choice("channel", name, CHANNELS)
        kind = getattr(import_module(f"envs.channels.{name}"), CHANNELS[name])
    return checks.make(kind, parameters, f"channel {name}")
