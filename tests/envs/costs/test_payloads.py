from __future__ import annotations

from typing import Any

import pytest

from envs.costs import Payloads


def test_stable_diffusion_compresses_48_fold() -> None:
    payloads = Payloads()
    assert (payloads.latent, payloads.image) == (131_072, 6_291_456)
    assert payloads.bits("image") == 48 * payloads.bits("latent")


@pytest.mark.parametrize("bits", [0, -8, 0.5, None])
def test_a_payload_has_bits(bits: Any) -> None:
    with pytest.raises(ValueError, match="bits of the image must be an integer >= 1, got"):
        Payloads(image=bits)
