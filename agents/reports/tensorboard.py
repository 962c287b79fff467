"""What goes to TensorBoard beside the scalars: pictures, and hyperparameters with the results that they led to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from torch.utils.tensorboard import SummaryWriter


def run_logger(folder: Path) -> Logger:
    """A stable-baselines3 logger that writes TensorBoard events into the run's own folder."""
    return Logger(str(folder), [TensorBoardOutputFormat(str(folder))])


def writer_of(logger: Logger) -> SummaryWriter:
    """The TensorBoard writer of a logger.

    Raises:
        ValueError: the logger does not write to TensorBoard.
    """
    for output in logger.output_formats:
        if isinstance(output, TensorBoardOutputFormat):
            return output.writer
    raise ValueError("the logger does not write to TensorBoard")


def log_image(logger: Logger, tag: str, image: NDArray[np.uint8], step: int) -> None:
    """Show an image, uint8 [H, W, 3], at a step."""
    writer_of(logger).add_image(tag, image, step, dataformats="HWC")


def log_hyperparameters(logger: Logger, config: DictConfig, results: Mapping[str, float]) -> None:
    """Show the run's configuration beside its results, in the run itself and not in a sub-run.

    Args:
        logger: the run's logger.
        config: the run's configuration; nested keys become `group.key`.
        results: metric name -> value; names appear below `hparam/`.
    """
    metrics = {f"hparam/{name}": float(value) for name, value in results.items()}
    writer_of(logger).add_hparams(flatten(config), metrics, run_name=".")


def flatten(config: DictConfig) -> dict[str, bool | int | float | str]:
    """Nested configuration as `group.key` -> a value that TensorBoard's table can hold."""
    flat: dict[str, bool | int | float | str] = {}

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                visit(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            flat[prefix] = value if isinstance(value, bool | int | float | str) else str(value)

    visit("", OmegaConf.to_container(config, resolve=True))
    return flat
