"""Images that a network under training makes, for TensorBoard, beside those of the generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from envs.transceiver.finetune_images.settings import Validation
from envs.transceiver.profile import image_metrics
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel
    from torch.utils.tensorboard import SummaryWriter


class Viewer:
    """Makes the same requests again and again.

    Args:
        transceiver: the frozen networks.
        part: which of them is trained.
        validation: what is asked for.
        prompts: used where `validation` names none.
    """

    def __init__(self, transceiver: Transceiver, part: str, validation: Validation, prompts: Sequence[str]) -> None:
        self.transceiver, self.part, self.validation = transceiver, part, validation
        self.prompts = list(validation.prompts or prompts)
        self.seeds = [validation.seed + index for index in range(len(self.prompts))]

    def show_reference(self, writer: SummaryWriter, step: int) -> None:
        """The noise-free images of the model as it is given."""
        self.reference = self._images(self.transceiver, None)
        writer.add_images("validation/perfect_link", self.reference.cpu(), step)

    def show(self, unet: UNet2DConditionModel, writer: SummaryWriter, step: int) -> None:
        """What the network makes now; a receiver's images over the link are measured against the noise-free ones."""
        with_unet = Transceiver(
            replace(self.transceiver.components, **{self.part: unet}),
            self.transceiver.num_inference_steps,
            self.transceiver.guidance_scale,
        )
        images = self._images(with_unet, self.validation.snr_db if self.part == "finetune_unet" else None)
        writer.add_images(f"validation/{self.part}", images.cpu(), step)
        if self.part == "finetune_unet":
            writer.add_scalar("validation/psnr_db", float(image_metrics.psnr_db(images, self.reference).mean()), step)
        if with_unet.components.judge is not None:
            writer.add_scalar("validation/alignment", float(with_unet.alignment(images, self.prompts).mean()), step)

    @torch.no_grad()
    def _images(self, transceiver: Transceiver, snr_db: float | None) -> Tensor:
        if snr_db is None:
            steps = transceiver.num_inference_steps
            return transceiver.generate(self.prompts, self.seeds, steps, receiver="ignore").images
        split = self.validation.split
        return transceiver.generate(self.prompts, self.seeds, split, snr_db, "finetuned").images
