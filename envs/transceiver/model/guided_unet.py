"""Both forwards of classifier-free guidance in one, doing once what is the same for both texts or at every step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention, silu

BLOCKS = ("DownBlock2D", "CrossAttnDownBlock2D", "UNetMidBlock2DCrossAttn", "CrossAttnUpBlock2D", "UpBlock2D")
"""Blocks of Stable Diffusion 1.x and 2.x: those whose order of layers is known here."""
EXTRAS = ("class_embedding", "encoder_hid_proj", "add_embedding", "time_embed_act")


class GuidedUNet(nn.Module):
    """A UNet's output for B latents with two texts each: the empty prompt and the request's own.

    What comes before the first look at the text is equal for both and is computed once; from there on the batch is
    doubled. What layers read of the text is the same at every step: `conditions` computes it before the first. The
    result is that of the UNet on a doubled batch, up to rounding. Own derivation. A UNet with layers that are not
    those of Stable Diffusion 1.x and 2.x, or a latent that its levels do not divide, simply gets the doubled batch.

    Args:
        unet: the network; its modules are used as they are.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet
        self._is_known = _is_known(unet)
        self._divisor = 2 ** (len(unet.up_blocks) - 1)

    def conditions(self, text: Tensor) -> list[Tensor]:
        """What `forward` needs of text embeddings [2 B, L, D], first those of the empty prompt."""
        if not self._is_known:
            return [text]
        read = (block.attn2 for layer in _transformers(self.unet) for block in layer.transformer_blocks)
        projected = [
            _heads(project(text), attention) for attention in read for project in (attention.to_k, attention.to_v)
        ]
        return [text, *projected]

    def forward(self, z: Tensor, t: Tensor, conditions: list[Tensor]) -> Tensor:
        """Outputs [2 B, C, h, w], first those for the empty prompt.

        Args:
            z: latents [B, C, h, w].
            t: timesteps float [B].
            conditions: of the texts.
        """
        unet, (text, *projected) = self.unet, conditions
        if not self._is_known or any(size % self._divisor for size in z.shape[-2:]):
            return unet(torch.cat([z, z]), torch.cat([t, t]), text).sample
        count, keys_values = len(text), iter(zip(projected[::2], projected[1::2], strict=True))
        shared = silu(unet.time_embedding(unet.time_proj(t).to(z.dtype)))
        embedding = torch.cat([shared, shared])

        def level(x: Tensor, resnet: Any, attention: Any) -> Tensor:
            x = _resnet(resnet, x, shared if len(x) == len(z) else embedding)
            return x if attention is None else _transformer(attention, x, keys_values, count)

        x = unet.conv_in(z)
        skips = [x]
        for block in unet.down_blocks:
            for resnet, attention in zip_longest(block.resnets, getattr(block, "attentions", [])):
                x = level(x, resnet, attention)
                skips.append(x)
            for downsampler in block.downsamplers or []:
                x = downsampler(x)
                skips.append(x)
        x = _both(x, count)
        if unet.mid_block is not None:
            for resnet, attention in zip_longest(unet.mid_block.resnets, unet.mid_block.attentions):
                x = level(x, resnet, attention)
        for block in unet.up_blocks:
            for resnet, attention in zip_longest(block.resnets, getattr(block, "attentions", [])):
                x = level(torch.cat([x, _both(skips.pop(), count)], dim=1), resnet, attention)
            for upsampler in block.upsamplers or []:
                x = upsampler(x)
        return unet.conv_out(silu(unet.conv_norm_out(x)))


def _resnet(block: Any, x: Tensor, embedding: Tensor) -> Tensor:
    h = block.conv1(silu(block.norm1(x)))
    h = block.conv2(silu(block.norm2(h + block.time_emb_proj(embedding)[:, :, None, None])))
    return h + (x if block.conv_shortcut is None else block.conv_shortcut(x))


def _transformer(layer: Any, x: Tensor, keys_values: Iterator[tuple[Tensor, Tensor]], count: int) -> Tensor:
    """Attention to itself and to the text; x is doubled to `count` where it meets the text for the first time."""
    height, width = x.shape[-2:]
    h = layer.norm(x)
    if layer.use_linear_projection:
        h = layer.proj_in(h.permute(0, 2, 3, 1).flatten(1, 2))
    else:
        h = layer.proj_in(h).permute(0, 2, 3, 1).flatten(1, 2)
    for block in layer.transformer_blocks:
        own = block.norm1(h)
        projections = block.attn1.to_q, block.attn1.to_k, block.attn1.to_v
        queries, keys, values = (_heads(project(own), block.attn1) for project in projections)
        h = h + _attended(queries, keys, values, block.attn1)
        keys, values = next(keys_values)
        queries = _both(_heads(block.attn2.to_q(block.norm2(h)), block.attn2), count)
        h = _both(h, count) + _attended(queries, keys, values, block.attn2)
        wide, gate = block.ff.net[0].proj(block.norm3(h)).chunk(2, dim=-1)
        h = h + block.ff.net[2](wide * gelu(gate))
    if layer.use_linear_projection:
        h = layer.proj_out(h).unflatten(1, (height, width)).permute(0, 3, 1, 2)
    else:
        h = layer.proj_out(h.unflatten(1, (height, width)).permute(0, 3, 1, 2))
    return h + _both(x, count)


def _heads(x: Tensor, attention: Any) -> Tensor:
    return x.unflatten(-1, (attention.heads, -1)).transpose(1, 2)


def _attended(queries: Tensor, keys: Tensor, values: Tensor, attention: Any) -> Tensor:
    h = scaled_dot_product_attention(queries, keys, values, scale=attention.scale)
    return attention.to_out[0](h.transpose(1, 2).flatten(2))


def _both(x: Tensor, count: int) -> Tensor:
    return x if len(x) == count else torch.cat([x, x])


def _blocks(unet: UNet2DConditionModel) -> list[Any]:
    """Blocks in the order in which they run."""
    return [block for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks) if block is not None]


def _transformers(unet: UNet2DConditionModel) -> list[Any]:
    """Transformer layers in the order in which they run."""
    return [layer for block in _blocks(unet) for layer in getattr(block, "attentions", [])]


def _is_known(unet: UNet2DConditionModel) -> bool:
    """Whether all layers are those that `forward` runs."""
    if any(type(block).__name__ not in BLOCKS for block in _blocks(unet)) or unet.config.act_fn != "silu":
        return False
    if any(getattr(unet, name, None) is not None for name in EXTRAS):
        return False
    resnets = [resnet for block in _blocks(unet) for resnet in block.resnets]
    transformers = _transformers(unet)
    attentions = [a for layer in transformers for block in layer.transformer_blocks for a in (block.attn1, block.attn2)]
    return (
        all(r.time_embedding_norm == "default" and r.output_scale_factor == 1.0 for r in resnets)
        and all(r.upsample is None and r.downsample is None and not r.skip_time_act for r in resnets)
        and all(type(layer).__name__ == "Transformer2DModel" and layer.is_input_continuous for layer in transformers)
        and all(_is_plain_block(block) for layer in transformers for block in layer.transformer_blocks)
        and all(_is_plain_attention(attention) for attention in attentions)
    )


def _is_plain_block(block: Any) -> bool:
    return (
        block.norm_type == "layer_norm"
        and block.attn2 is not None
        and block.pos_embed is None
        and not block.only_cross_attention
        and type(block.ff.net[0]).__name__ == "GEGLU"
    )


def _is_plain_attention(attention: Any) -> bool:
    return (
        type(attention.processor) is AttnProcessor2_0
        and attention.group_norm is None
        and attention.spatial_norm is None
        and attention.norm_q is None
        and not attention.norm_cross
        and not attention.residual_connection
        and attention.rescale_output_factor == 1.0
    )
