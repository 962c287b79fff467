"""How many bits a latent, an image, a sketch and weights have on the link."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from envs import plans
from envs.checks import integer
from envs.costs.codecs import image_bits_per_pixel
from envs.costs.latent_codecs import HEADER_BITS, latent_bits_per_element

LATENT_BITS = 64 * 64 * 4 * 8
BITS_OF_A_PIXEL = 3 * 8
IMAGE_BITS = 512 * 512 * BITS_OF_A_PIXEL
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

    @property
    def latent_elements(self) -> int:
        """Elements of a latent, 8 bits each."""
        return self.latent // 8

    def bits(self, payload: plans.Payload) -> int:
        """Bits of a payload by its name in a plan."""
        return int(getattr(self, payload))

    def sent_bits(self, stage: plans.Transmit, share: float) -> int:
        """Bits of all copies that a stage sends, of the mean file where it has a codec.

        Args:
            stage: what is sent.
            share: of the denoising steps that lie behind it.

        Raises:
            ValueError: a codec that was not measured.
        """
        bits = self.bits(stage.payload) if stage.codec is None else self._coded_bits(stage.codec, share)
        return stage.copies * bits

    def _coded_bits(self, codec: str, share: float) -> int:
        """A file's bits: a mean of photographs of 512 x 512 for images of any size, whose smaller ones take more."""
        if plans.codec_payload(codec) == "image":
            return round(self.image / BITS_OF_A_PIXEL * image_bits_per_pixel(codec))
        return HEADER_BITS + round(self.latent_elements * latent_bits_per_element(codec, share))
