from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from agents.experiments.shared import learning
from agents.experiments.shared.study import RootTraining
from agents.reports.terminal import terminal
from envs import SplitSettings
from envs.transceiver.profile.profile import QualityProfile


@pytest.mark.parametrize("total", [320, 333])
def test_the_bar_of_a_training_counts_its_requests(
    profile: QualityProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int
) -> None:
    bars: list[Any] = []

    def bar(**settings: Any) -> Any:
        bars.append(tqdm(file=io.StringIO(), **settings))
        return bars[-1]

    monkeypatch.setattr(learning, "tqdm", bar)
    agent = {"name": "d3qn", "learning_starts": 50, "policy_kwargs": {"net_arch": [8]}}
    training = RootTraining(agent, total, 8, 0, str(tmp_path))
    learning.trained_root(SplitSettings(profile=profile), training, terminal())
    (shown,) = bars
    assert shown.unit == "request"
    assert shown.n == -(-total // 8) * 8  # all sessions take a step together
