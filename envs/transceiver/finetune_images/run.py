"""The fine-tuning of one UNet on a folder of captioned images."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from diffusers import UNet2DConditionModel
from diffusers.training_utils import EMAModel
from torch.utils.data import DataLoader

from envs.channels.noise import stream
from envs.files import usual_modes
from envs.transceiver.finetune_images import checkpoint
from envs.transceiver.finetune_images.captioned_folder import CaptionedFolder, captions_of
from envs.transceiver.finetune_images.objective import NoiseAwareLoss
from envs.transceiver.finetune_images.sample_order import Samples, shares
from envs.transceiver.finetune_images.settings import FinetuneSettings
from envs.transceiver.finetune_images.validation import Board
from envs.transceiver.model.components import load_components
from envs.transceiver.model.loading import quietly
from envs.transceiver.model.options import ModelOptions
from envs.transceiver.model.vocabulary import warned_once
from envs.transceiver.training_loop import run_steps
from envs.transceiver.transceiver import Transceiver

Batch = tuple[torch.Tensor, Sequence[str], torch.Tensor]
"""B samples: (pictures float32 [B, 3, H, W] in [0, 1], captions, positions in the run [B])."""
DTYPES = {"no": "float32", "fp16": "float16", "bf16": "bfloat16"}


class Finetuning:
    """A run, new or one that was stopped: everything that it needs, ready to train.

    The result of an interrupted and resumed run is bit for bit that of one that was left alone, on the same machine,
    with the same number of processes and as far as the kernels of the device are deterministic (a CPU's are).

    Args:
        settings: what is asked for.

    Raises:
        ValueError: data, model, checkpoint or settings that cannot be used.
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
        """Train to the last step and write the averaged UNet.

        Returns:
            Its folder, `output/finetune_unet` or `output/unet`.

        Raises:
            Interrupted: the user stopped it.
        """
        self.output.mkdir(parents=True, exist_ok=True)
        prompts = [self.images.caption(index) for index in range(len(self.images))]
        with warned_once(self.transceiver.components.tokenizer, prompts + (self.settings.validation.prompts or [])):
            self._train()
        return self._export()

    def _train(self) -> None:
        """The steps that remain, with what they show and keep."""
        steps, settings = range(self.done, self.settings.steps), self.settings
        board = Board(self) if self.accelerator.is_main_process else None
        batches = self._batches(steps)

        def take(step: int) -> float:
            loss = self._step(step, batches)
            self.done = done = step + 1
            if done % settings.log_every == 0:
                mean = self.accelerator.gather(loss).mean()
                if board is not None:
                    board.writer.add_scalar("loss", float(mean), done)
            every = settings.validation.every
            if board is not None and every and done % every == 0 and done < settings.steps:
                board.write_images(done)
            return float(loss)

        def keep(done: int) -> None:
            checkpoint.save(self.accelerator, self.average, self.output, done, self.belongs_to)

        def is_due(done: int) -> bool:
            return done % settings.checkpoint_every == 0

        try:
            run_steps(settings.part, steps, take, keep, is_due, board is not None, self._any)
        finally:
            if board is not None:
                if self.done == settings.steps:
                    board.write_images(settings.steps)
                board.writer.close()

    def _step(self, step: int, batches: Iterator[Batch]) -> torch.Tensor:
        """One optimiser step; the mean loss of this process's samples, [1]."""
        settings, parts = self.settings, []
        warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * warm
        for _ in range(settings.gradient_accumulation):
            pictures, captions, positions = next(batches)
            with self.accelerator.accumulate(self.unet):
                generators = [stream(settings.seed, position) for position in positions.tolist()]
                loss = self.loss(self.unet, pictures.to(self.accelerator.device), captions, generators)
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
        place = accelerator.process_index, accelerator.num_processes
        positions = shares(steps, settings.batch_size, settings.gradient_accumulation, *place)
        samples = Samples(self.images, settings.seed)
        workers = settings.num_workers
        return iter(DataLoader(samples, batch_sampler=list(positions), num_workers=workers, worker_init_fn=_go_on))

    def _any(self, said: bool) -> bool:
        """Whether any process says so."""
        flag = torch.tensor([said], dtype=torch.int32, device=self.accelerator.device)
        return bool(self.accelerator.gather(flag).any())

    def _export(self) -> Path:
        """Write the averaged UNet in diffusers' layout; the other processes wait."""
        target = self.output / self.settings.part
        if self.accelerator.is_main_process:
            partial = target.with_name(f"{target.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            self.average.copy_to(self.network.parameters())
            with quietly():
                self.network.save_pretrained(partial, safe_serialization=True)
            usual_modes(partial)
            shutil.rmtree(target, ignore_errors=True)
            partial.rename(target)
        self.accelerator.wait_for_everyone()
        return target


def _go_on(_worker: int) -> None:
    """Leave Ctrl-C and SIGTERM, which a terminal or a scheduler sends to all processes, to the one that trains."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _start(settings: FinetuneSettings) -> UNet2DConditionModel:
    """A copy of the UNet that is trained, in single precision."""
    options = ModelOptions.from_config({} if settings.init is None else {settings.part: settings.init})
    components = load_components(settings.model, "cpu", options)
    if settings.part == "unet":
        return components.unet.requires_grad_(True)
    nearest = components.finetune_unet or components.unet
    return nearest.requires_grad_(True)


def _resolution(transceiver: Transceiver) -> int:
    """Pixels a side of the model's pictures."""
    _, height, width = transceiver.components.latent_shape
    if height != width:
        raise ValueError(f"the model {transceiver.components.source} makes pictures that are not square")
    return height * 2 ** (len(transceiver.components.vae.config.block_out_channels) - 1)
