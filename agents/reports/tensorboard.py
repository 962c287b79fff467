"""What goes to TensorBoard beside the scalars: their layout, pictures, the configuration, and what it led to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from stable_baselines3.common.logger import Logger, TensorBoardOutputFormat
from tensorboard.compat.proto import event_pb2
from torch.utils.tensorboard import SummaryWriter

from envs.command_line import flatten

LAYOUT = {
    "Requests": {
        "Satisfaction": ["Multiline", ["evaluation/satisfaction", "evaluation/oracle_satisfaction"]],
        "Regret to the oracle": ["Multiline", ["evaluation/regret"]],
        "Latency parts in s": [
            "Multiline",
            [f"evaluation/latency_{part}_s" for part in ("edge", "link", "user")],
        ],
        "Attempts": ["Multiline", ["evaluation/attempts"]],
        "Failed": ["Multiline", ["evaluation/failed"]],
    },
    "Learning": {
        "Reward of a session": ["Multiline", ["rollout/ep_rew_mean"]],
        "Epsilon": ["Multiline", ["rollout/exploration_rate"]],
        "Loss": ["Multiline", ["train/.*loss"]],
    },
}
"""Charts of the tab "Custom Scalars": category -> title -> the tags that it shows together."""


def run_logger(folder: Path, learnt: int = 0) -> Logger:
    """A stable-baselines3 logger that writes TensorBoard events into the run's own folder.

    Args:
        folder: of the run.
        learnt: requests after which the run goes on; what it once wrote beyond them is hidden, being written again.
    """
    logger = Logger(str(folder), [TensorBoardOutputFormat(str(folder))])
    writer = writer_of(logger)
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    writer._get_file_writer().add_event(event_pb2.Event(session_log=start), learnt + 1)
    writer.add_custom_scalars(LAYOUT)
    return logger


def log_config(logger: Logger, config: DictConfig) -> None:
    """Show the whole configuration, resolved, in the tab "Text"."""
    text = OmegaConf.to_yaml(config, resolve=True)
    writer_of(logger).add_text("config", "".join(f"    {line}\n" for line in text.splitlines()))


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
