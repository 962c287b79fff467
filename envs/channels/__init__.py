"""Physical channels: what the wireless link does to a latent, one small file each behind one interface."""

from __future__ import annotations

from envs.channels.channel import CHANNELS, Channel, ChannelChoice, Received, make_channel

__all__ = ["CHANNELS", "Channel", "ChannelChoice", "Received", "make_channel"]
