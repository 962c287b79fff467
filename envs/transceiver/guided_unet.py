"""Both forwards of classifier-free guidance in one, doing once what does not depend on the prompt."""

from __future__ import annotations

from itertools import zip_longest

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "UNetMidBlock2DCrossAttn", "CrossAttnUpBlock2D", "UpBlock2D")
"""Blocks of Stable Diffusion 1.x and 2.x: those whose order of layers is known here."""
EXTRAS = ("class_embedding", "encoder_hid_proj", "add_embedding", "time_embed_act")


class GuidedUNet(nn.Module):
    """A UNet's output for B latents with two texts each: the empty prompt and the request's own.

    What comes before the first attention to the text is equal for both and is computed once; from there on the batch
    is doubled. The result is that of the UNet on a doubled batch, up to rounding. Own derivation. A UNet of other
    blocks, or a latent that its levels do not divide, simply gets the doubled batch.

    Args:
        unet: the network; its modules are used as they are.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        blocks = [block for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks) if block is not None]
        self._is_known = all(type(block).__name__ in BLOCKS for block in blocks) and all(
            getattr(unet, name, None) is None for name in EXTRAS
        )
        self._divisor = 2 ** (len(unet.up_blocks) - 1)

    def forward(self, z: Tensor, t: Tensor, text: Tensor) -> Tensor:
        """Outputs [2 B, C, h, w], first those for the empty prompt.

        Args:
            z: latents [B, C, h, w].
            t: timesteps float [B].
            text: embeddings [2 B, L, D], first those of the empty prompt.
        """
        unet = self.unet
        if not self._is_known or any(size % self._divisor for size in z.shape[-2:]):
            return unet(torch.cat([z, z]), torch.cat([t, t]), text).sample
        shared = unet.time_embedding(unet.time_proj(t).to(z.dtype))
        embedding = torch.cat([shared, shared])
        x = unet.conv_in(z)
        skips = [x]
        for block in unet.down_blocks:
            for resnet, attention in zip_longest(block.resnets, getattr(block, "attentions", [])):
                x = resnet(x, shared if len(x) == len(z) else embedding)
                if attention is not None:
                    x = attention(_both(x, text), encoder_hidden_states=text, return_dict=False)[0]
                skips.append(x)
            for downsampler in block.downsamplers or []:
                x = downsampler(x)
                skips.append(x)
        x, skips = _both(x, text), [_both(skip, text) for skip in skips]
        if unet.mid_block is not None:
            x = unet.mid_block(x, embedding, encoder_hidden_states=text)
        for block in unet.up_blocks:
            count = len(block.resnets)
            skips, used = skips[:-count], tuple(skips[-count:])
            attended = {"encoder_hidden_states": text} if hasattr(block, "attentions") else {}
            x = block(x, used, embedding, **attended)
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(x)))


def _both(x: Tensor, text: Tensor) -> Tensor:
    return x if len(x) == len(text) else torch.cat([x, x])
