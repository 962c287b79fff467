from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from stable_baselines3.common.logger import Logger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

from agents.reports.tensorboard import (
    LAYOUT,
    flatten,
    log_config,
    log_hyperparameters,
    log_image,
    run_logger,
    writer_of,
)


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


def test_the_layout_and_the_configuration_are_there(tmp_path: Path) -> None:
    logger = run_logger(tmp_path)
    log_config(logger, OmegaConf.create({"seed": 3, "twice": "${seed}"}))
    logger.close()
    tensors = EventAccumulator(str(tmp_path)).Reload().Tensors
    (text,) = tensors("config/text_summary")
    assert text.tensor_proto.string_val[0].decode() == "    seed: 3\n    twice: 3\n"
    (event,) = tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    assert {category.title: [chart.title for chart in category.chart] for category in layout.category} == {
        category: list(charts) for category, charts in LAYOUT.items()
    }


def test_what_is_written_again_is_shown_once(tmp_path: Path) -> None:
    for learnt, steps in ((0, (10, 20, 30)), (20, (30, 40))):
        logger = run_logger(tmp_path, learnt)
        for step in steps:
            logger.record("evaluation/satisfaction", float(learnt))
            logger.dump(step=step)
        logger.close()
        time.sleep(1.1)  # the names of event files hold the second, and are read in their order
    shown = EventAccumulator(str(tmp_path)).Reload().Scalars("evaluation/satisfaction")
    assert [(scalar.step, scalar.value) for scalar in shown] == [(10, 0), (20, 0), (30, 20), (40, 20)]


def test_flatten() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": [1, 2]}, "d": None})
    assert flatten(config) == {"a.b": 1, "a.c": "[1, 2]", "d": "None"}


def test_a_logger_without_tensorboard() -> None:
    with pytest.raises(ValueError, match="TensorBoard"):
        writer_of(Logger(None, []))
