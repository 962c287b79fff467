from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.logger import Logger

from agents.factory import make_agent
from agents.runs.callbacks import LearningCurve
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile


def test_an_agent_that_takes_masks_is_told_them(profile: QualityProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {
        "profile": profile,
        "scenario": {"name": "battery", "battery_j": [0.0, 0.0]},
        "plans": ["semaigc", "edge_aigc"],
    }
    agent: Any = make_agent(
        "maskable_ppo", SplitVectorEnv(3, **settings), seed=0, policy_kwargs={"net_arch": [8]}, batch_size=64
    )
    agent.set_logger(Logger(None, []))
    told = []
    predict = agent.predict

    @wraps(predict)  # masks go to a `predict` that names them
    def spy(*arguments: Any, **keywords: Any) -> Any:
        told.append(keywords["action_masks"])
        return predict(*arguments, **keywords)

    monkeypatch.setattr(agent, "predict", spy)
    monkeypatch.setattr(agent, "dump_logs", lambda: None)  # of a training that has begun
    curve = LearningCurve(agent, SplitVectorEnv(3, **settings), 12, seed=1)
    curve()
    only_edge = np.arange(22) == 21  # an empty battery decodes nothing
    assert len(told) == 4
    assert all(np.array_equal(masks, np.tile(only_edge, (3, 1))) for masks in told)
    assert curve.satisfaction == curve.oracle_satisfaction  # there is nothing else to do
