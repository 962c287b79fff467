"""A channel by its name and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from envs.channels.interface import Channel

CHANNELS = {"awgn": "Awgn", "rayleigh": "Rayleigh", "bit_flip": "BitFlip", "coded": "Coded"}
"""Name, which is its module's too -> class. Torch is imported when a channel is made."""

ChannelChoice = str | Mapping[str, Any] | Channel
"""A name, a mapping with the key `name` and parameters (as configs/channel/*.yaml hold), or the channel itself."""


def make_channel(choice: ChannelChoice) -> Channel:
    """Make the channel that a configuration names; parameters that are left out take their defaults.

    Raises:
        ValueError: an unknown name or parameter, a value that is not allowed, or a channel whose library is not
            installed.
    """
    if isinstance(choice, Channel):
        return choice
    parameters = {"name": choice} if isinstance(choice, str) else dict(choice)
    name = parameters.pop("name", None)
    if name not in CHANNELS:
        raise ValueError(f"unknown channel {name!r}; allowed: {', '.join(CHANNELS)}")
    kind = getattr(import_module(f"envs.channels.{name}"), CHANNELS[name])
    allowed = [field.name for field in fields(kind)]
    if unknown := [str(key) for key in parameters if key not in allowed]:
        raise ValueError(
            f"unknown parameters of channel {name}: {', '.join(unknown)}; allowed: {', '.join(allowed) or 'none'}"
        )
    channel: Channel = kind(**parameters)
    return channel
