"""What TensorBoard shows of a training: the loss, and images of the network beside those of the generator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from envs.transceiver.profile import image_metrics
from envs.transceiver.transceiver import Transceiver

if TYPE_CHECKING:
    from envs.transceiver.finetune_images.run import Finetuning

LOG = "log"
SHOWN = 4
"""Captions of the data that are validated with where no prompts are named."""


class Board:
    """Writes for the main process; it begins with the noise-free images of the model as it is given.

    Args:
        run: the training; what was written after the step that it goes on from is left out.
    """

    def __init__(self, run: Finetuning) -> None:
        self.run, self.validation = run, run.settings.validation
        captions = [run.images.caption(index) for index in range(min(SHOWN, len(run.images)))]
        self.prompts = self.validation.prompts or captions
        self.seeds = [self.validation.seed + index for index in range(len(self.prompts))]
        self.writer = SummaryWriter(str(run.output / LOG), purge_step=run.done or None)
        self.reference = self._images(run.transceiver, None)
        self.writer.add_images("validation/perfect_link", self.reference.cpu(), run.done)

    def write_images(self, step: int) -> None:
        """Images of the averaged weights, which are swapped in for as long as it takes."""
        network, average = self.run.network, self.run.average
        average.store(network.parameters())
        average.copy_to(network.parameters())
        network.eval()
        with self.run.accelerator.autocast():
            self._show(step)
        network.train()
        average.restore(network.parameters())

    def _show(self, step: int) -> None:
        """What the network makes now; a receiver's images over the link are measured against the noise-free ones."""
        part, given = self.run.settings.part, self.run.transceiver
        trained = replace(given.components, **{part: self.run.network})
        transceiver = Transceiver(trained, given.num_inference_steps, given.guidance_scale)
        images = self._images(transceiver, self.validation.snr_db if part == "finetune_unet" else None)
        self.writer.add_images(f"validation/{part}", images.cpu(), step)
        if part == "finetune_unet":
            psnr_db = image_metrics.psnr_db(images, self.reference)
            self.writer.add_scalar("validation/psnr_db", float(psnr_db.mean()), step)
        if trained.judge is not None:
            alignment = trained.judge.alignment(images, self.prompts)
            self.writer.add_scalar("validation/alignment", float(alignment.mean()), step)

    @torch.no_grad()
    def _images(self, transceiver: Transceiver, snr_db: float | None) -> Tensor:
        if snr_db is None:
            steps = transceiver.num_inference_steps
            return transceiver.generate(self.prompts, self.seeds, steps, receiver="ignore").images
        split = self.validation.split
        return transceiver.generate(self.prompts, self.seeds, split, snr_db, "finetuned").images
