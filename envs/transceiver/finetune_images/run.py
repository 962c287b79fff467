"""The fine-tuning of one UNet on a folder of captioned images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from diffusers import UNet2DConditionModel
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader

from envs.transceiver.finetune_images import checkpoint
from envs.transceiver.finetune_images.captioned_folder import CaptionedFolder, captions_of
from envs.transceiver.finetune_images.objective import NoiseAwareLoss
from envs.transceiver.finetune_images.sample_order import Batch, SampleOrder, Samples, collate, shares
from envs.transceiver.finetune_images.settings import FinetuneSettings
from envs.transceiver.finetune_images.validation import Viewer
from envs.transceiver.model.components import load_components
from envs.transceiver.model.loading import quietly
from envs.transceiver.model.options import ModelOptions
from envs.transceiver.training_loop import run_steps
from envs.transceiver.transceiver import Transceiver

LOG = "log"
SHOWN = 4
"""Captions of the data that are validated with where no prompts are named."""
DTYPES = {"no": "float32", "fp16": "float16", "bf16": "bfloat16"}


def finetune(settings: FinetuneSettings) -> Path:
    """Train, or go on with a run that was stopped, and write the averaged UNet.

    The result of an interrupted and resumed run is bit for bit that of one that was left alone, on the same machine,
    with the same number of processes and as far as the kernels of the device are deterministic (a CPU's are).

    Args:
        settings: what is asked for.

    Returns:
        Folder of the trained UNet, `output/finetune_unet` or `output/unet`.

    Raises:
        ValueError: data, model, checkpoint or settings that cannot be used; said before any training.
        Interrupted: the user stopped it.
    """
    return Finetuning(settings).run()


class Finetuning:
    """A run: everything that it needs, ready to train.

    Args:
        settings: what is asked for.
    """

    def __init__(self, settings: FinetuneSettings) -> None:
        self.settings, self.output = settings, Path(settings.output)
        captions_of(Path(settings.data).expanduser())  # a folder without captions is said before the model is loaded
        self.accelerator = Accelerator(
            mixed_precision=settings.mixed_precision, gradient_accumulation_steps=settings.gradient_accumulation
        )
        device = self.accelerator.device
        options = ModelOptions(dtype=DTYPES[settings.mixed_precision])
        validation = settings.validation
        self.transceiver = Transceiver(
            load_components(settings.model, device, options), validation.num_inference_steps, settings.guidance_scale
        )
        unet = _start(settings)
        replace(self.transceiver.components, **{settings.part: unet})  # refuses a UNet that does not fit the model
        self.images = CaptionedFolder(settings.data, _resolution(self.transceiver))
        self.order = SampleOrder(len(self.images), settings.seed)
        snr_db = settings.snr_db if settings.part == "finetune_unet" else None
        unsaid = settings.unsaid if settings.part == "unet" else 0.0
        self.loss = NoiseAwareLoss(self.transceiver, settings.target, snr_db, unsaid)
        self.belongs_to: dict[str, Any] = {
            "settings": {**settings.kept, "processes": self.accelerator.num_processes},
            "data": self.images.digest(),
            "network": checkpoint.architecture_of(unet.config),
        }
        self.done = checkpoint.check(self.output, self.belongs_to)
        if settings.gradient_checkpointing:
            unet.enable_gradient_checkpointing()
        optimizer = torch.optim.AdamW(unet.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self.unet, self.optimizer = self.accelerator.prepare(unet.to(device).train(), optimizer)
        self.network: UNet2DConditionModel = self.accelerator.unwrap_model(self.unet)
        self.average = EMAModel(self.network.parameters(), decay=settings.ema_decay)
        if self.done:
            checkpoint.load(self.accelerator, self.average, self.output, self.done)

    def run(self) -> Path:
        """Train to the last step and export."""
        self.output.mkdir(parents=True, exist_ok=True)
        first, last, settings = self.done, self.settings.steps, self.settings
        board = Board(self, first) if self.accelerator.is_main_process else None
        batches = self._batches(range(first, last))

        def take(step: int) -> torch.Tensor:
            loss = self._step(step, batches)
            self.done = step + 1
            return loss

        def watch(done: int, loss: torch.Tensor) -> float | None:
            every, mean = settings.validation.every, None
            if done % settings.log_every == 0:
                mean = float(self.accelerator.gather(loss).mean())
                if board is not None:
                    board.write_loss(mean, done)
            if board is not None and every and done % every == 0 and done < last:
                board.write_images(done)
            return mean

        def keep(done: int) -> None:
            checkpoint.save(self.accelerator, self.average, self.output, done, self.belongs_to)

        try:
            run_steps(
                settings.part,
                range(first, last),
                take,
                keep,
                lambda done: done % settings.checkpoint_every == 0,
                watch,
                is_shown=self.accelerator.is_main_process,
            )
        finally:
            if board is not None:
                if self.done == last:
                    board.write_images(last)
                board.close()
        return self._export()

    def _step(self, step: int, batches: Iterator[Batch]) -> torch.Tensor:
        """One optimiser step; the mean loss of this process's samples, [1]."""
        settings, parts = self.settings, []
        warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * warm
        for _ in range(settings.gradient_accumulation):
            batch = next(batches)
            with self.accelerator.accumulate(self.unet):
                pictures = batch.pictures.to(self.accelerator.device)
                generators = [self.order.generator_at(position) for position in batch.positions]
                loss = self.loss(self.unet, pictures, batch.captions, generators)
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    self.accelerator.clip_grad_norm_(self.unet.parameters(), settings.max_grad_norm)
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
            parts.append(loss.detach())
        self.average.step(self.network.parameters())
        return torch.stack(parts).mean()[None]

    def _batches(self, steps: range) -> Iterator[Batch]:
        settings, accelerator = self.settings, self.accelerator
        positions = shares(
            steps,
            settings.batch_size,
            settings.gradient_accumulation,
            accelerator.process_index,
            accelerator.num_processes,
        )
        samples = Samples(self.images, self.order)
        loader = DataLoader(
            samples, batch_sampler=list(positions), num_workers=settings.num_workers, collate_fn=collate
        )
        return iter(loader)

    def _export(self) -> Path:
        """Write the averaged UNet in diffusers' layout; the other processes wait."""
        target = self.output / self.settings.part
        if self.accelerator.is_main_process:
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            self.average.copy_to(self.network.parameters())
            with quietly():
                self.network.save_pretrained(partial, safe_serialization=True)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        self.accelerator.wait_for_everyone()
        return target


class Board:
    """What is shown in TensorBoard; of the main process.

    Args:
        run: the training.
        first: step that it goes on from; what was written after it is left out.
    """

    def __init__(self, run: Finetuning, first: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.run = run
        self.writer = SummaryWriter(str(run.output / LOG), purge_step=first or None)
        captions = [run.images.caption(index) for index in range(min(SHOWN, len(run.images)))]
        self.viewer = Viewer(run.transceiver, run.settings.part, run.settings.validation, captions)
        self.viewer.show_reference(self.writer, first)

    def write_loss(self, loss: float, step: int) -> None:
        """The mean loss of a step."""
        self.writer.add_scalar("loss", loss, step)

    def write_images(self, step: int) -> None:
        """Images of the averaged weights, which are swapped in for as long as it takes."""
        network, average = self.run.network, self.run.average
        average.store(network.parameters())
        average.copy_to(network.parameters())
        network.eval()
        with self.run.accelerator.autocast():
            self.viewer.show(network, self.writer, step)
        network.train()
        average.restore(network.parameters())

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


def _start(settings: FinetuneSettings) -> UNet2DConditionModel:
    """A copy of the UNet that is trained, in single precision."""
    options = ModelOptions.from_config({} if settings.init is None else {settings.part: settings.init})
    components = load_components(settings.model, "cpu", options)
    if settings.part == "unet":
        return components.unet.requires_grad_(True)
    nearest = components.finetune_unet or components.light_unet or components.unet
    return nearest.requires_grad_(True)


def _resolution(transceiver: Transceiver) -> int:
    """Pixels a side of the model's pictures."""
    _, height, width = transceiver.components.latent_shape
    if height != width:
        raise ValueError(f"the model {transceiver.components.source} makes pictures that are not square")
    return height * 2 ** (len(transceiver.components.vae.config.block_out_channels) - 1)
