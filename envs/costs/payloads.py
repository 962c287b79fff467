"""How many bits a latent and an image have on the link."""

from __future__ import annotations

from dataclasses import dataclass

from envs import plans

LATENT_BITS = 64 * 64 * 4 * 8
IMAGE_BITS = 512 * 512 * 3 * 8


@dataclass(frozen=True)
class Payloads:
    """Bits of each payload; by default those of Stable Diffusion v1-5.

    Attributes:
        latent: 64 x 64 x 4 elements of 8 bits: 131,072 bits.
        image: 512 x 512 pixels of 24 bits: 6,291,456 bits, 48 times as many.

    Raises:
        ValueError: a size is not a positive integer.
    """

    latent: int = LATENT_BITS
    image: int = IMAGE_BITS

    def __post_init__(self) -> None:
        for name in ("latent", "image"):
            bits = getattr(self, name)
            if not isinstance(bits, int) or bits < 1:
                raise ValueError(f"{name} payload must be a positive integer of bits, got {bits!r}")

    def bits(self, payload: plans.Payload) -> int:
        """Bits of a payload by its name in a plan."""
        return self.latent if payload == "latent" else self.image
