from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from stable_baselines3.common.logger import Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.reports.tensorboard import flatten, log_hyperparameters, log_image, run_logger, writer_of


def test_everything_lies_in_the_run_folder(tmp_path: Path) -> None:
    logger = run_logger(tmp_path)
    logger.record("evaluation/satisfaction", 0.5)
    logger.dump(step=7)
    log_image(logger, "decision_map", np.zeros((4, 5, 3), dtype=np.uint8), 7)
    log_hyperparameters(logger, OmegaConf.create({"seed": 0, "agent": {"name": "d3qn"}}), {"satisfaction": 0.5})
    logger.close()
    assert all(child.is_file() for child in tmp_path.iterdir())
    events = EventAccumulator(str(tmp_path)).Reload()
    assert events.Scalars("evaluation/satisfaction")[0].step == 7
    assert events.Images("decision_map")[0].width == 5
    assert events.Scalars("hparam/satisfaction")[0].value == 0.5


def test_flatten() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": [1, 2]}, "d": None})
    assert flatten(config) == {"a.b": 1, "a.c": "[1, 2]", "d": "None"}


def test_a_logger_without_tensorboard() -> None:
    with pytest.raises(ValueError, match="TensorBoard"):
        writer_of(Logger(None, []))
