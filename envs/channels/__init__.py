"""Physical channels: what the wireless link does to a latent, one small file each behind one interface."""

from __future__ import annotations

from envs.channels.choice import CHANNELS, ChannelChoice, make_channel
from envs.channels.interface import Channel, Received

__all__ = ["CHANNELS", "Channel", "ChannelChoice", "Received", "make_channel"]
