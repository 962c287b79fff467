"""Counting the operations of a receiver's step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.transceiver.model.flops import forward_flops, receiver_step_flops
from envs.transceiver.train_embedded import architecture
from envs.transceiver.transceiver import Transceiver

from ..conftest import TINY_UNET


def test_guidance_is_two_forwards(tiny: Transceiver) -> None:
    light = architecture.new_unet(0, **{**TINY_UNET, "block_out_channels": (8, 8)})
    components = replace(tiny.components, finetune_light_unet=light)
    unet, lighter = (forward_flops(components, name) for name in ("unet", "finetune_light_unet"))
    assert 0 < lighter < unet
    assert receiver_step_flops(components, "rematch") == 2 * unet
    assert receiver_step_flops(components, "finetuned") == unet
    assert receiver_step_flops(components, "finetuned_light") == lighter


def test_a_network_that_is_not_there(tiny: Transceiver) -> None:
    with pytest.raises(ValueError, match="has no light_unet"):
        forward_flops(replace(tiny.components, light_unet=None), "light_unet")
