"""Counting the operations of a receiver's step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envs.transceiver.model.flops import forward_flops, receiver_step_flops
from envs.transceiver.transceiver import Transceiver


def test_guidance_is_two_forwards(tiny: Transceiver) -> None:
    unet, light = (forward_flops(tiny.components, name) for name in ("unet", "finetune_unet"))
    assert unet > 0
    assert receiver_step_flops(tiny.components, "rematch") == 2 * unet
    assert receiver_step_flops(tiny.components, "finetuned") == light


def test_a_network_that_is_not_there(tiny: Transceiver) -> None:
    with pytest.raises(ValueError, match="has no light_unet"):
        forward_flops(replace(tiny.components, light_unet=None), "light_unet")
