"""How many bits a latent, an image, a sketch and weights have on the link."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from envs import plans
from envs.checks import integer

LATENT_BITS = 64 * 64 * 4 * 8
IMAGE_BITS = 512 * 512 * 3 * 8
SKETCH_BITS = IMAGE_BITS // 4
UNET_BITS = 859_520_964 * 16
MODEL_BITS = 1_066_235_307 * 16
"""Text encoder, UNet and autoencoder."""


@dataclass(frozen=True)
class Payloads:
    """Bits of each payload; by default those of Stable Diffusion v1-5.

    Attributes:
        latent: 64 x 64 x 4 elements of 8 bits: 131,072 bits.
        image: 512 x 512 pixels of 24 bits: 6,291,456 bits, 48 times as many.
        sketch: an image of half the resolution (MEG, figure 6: 344 of 1,376 kB).
        unet: its 859.5 million weights of 16 bits: 1.72 GB. The papers give no size; half precision is how these
            weights are distributed.
        model: text encoder, UNet and autoencoder likewise: 2.13 GB.

    Raises:
        ValueError: a size is not a positive integer.
    """

    latent: int = LATENT_BITS
    image: int = IMAGE_BITS
    sketch: int = SKETCH_BITS
    unet: int = UNET_BITS
    model: int = MODEL_BITS

    def __post_init__(self) -> None:
        for field in fields(self):
            integer(f"bits of the {field.name}", getattr(self, field.name), 1)

    @classmethod
    def of_images(cls, height: int, width: int) -> Self:
        """Payloads of images of height x width pixels: 24 bits a pixel, 4 x 8 bits a latent of 8 x 8 pixels.

        Raises:
            ValueError: a side that is not a positive multiple of 8.
        """
        for name, side in (("height", height), ("width", width)):
            if not isinstance(side, int) or side < 8 or side % 8:
                raise ValueError(f"{name} must be a positive multiple of 8, got {side!r}")
        pixels = height * width
        return cls(latent=pixels // 64 * 4 * 8, image=pixels * 24, sketch=pixels // 4 * 24)

    def bits(self, payload: plans.Payload) -> int:
        """Bits of a payload by its name in a plan."""
        return int(getattr(self, payload))
