"""What happens while an agent learns: progress, learning curve, decision maps, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import gymnasium as gym
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback

from agents.rollouts import evaluate


class EveryRequests(BaseCallback):
    """Call a function at the first step of every `period` requests, counted over resumed runs.

    Args:
        period: requests.
        action: what to call.
    """

    def __init__(self, period: int, action: Callable[[], None]) -> None:
        super().__init__()
        self.period, self.action = period, action
        self._done = 0

    def _on_training_start(self) -> None:
        self._done = self.model.num_timesteps // self.period

    def _on_step(self) -> bool:
        if self.num_timesteps // self.period > self._done:
            self._done = self.num_timesteps // self.period
            self.action()
        return True


class LearningCurve:
    """Evaluate a learning agent on the same requests each time, and log how it does.

    Args:
        agent: the agent, with the run's logger.
        env: an environment of its own to evaluate in.
        num_requests: requests each time.
        seed: of these requests.

    Attributes:
        satisfaction: the latest mean reward; NaN before the first evaluation.
    """

    def __init__(self, agent: Any, env: gym.vector.VectorEnv[Any, Any, Any], num_requests: int, seed: int) -> None:
        self.agent, self.env, self.num_requests, self.seed = agent, env, num_requests, seed
        self.satisfaction = float("nan")

    def __call__(self) -> None:
        """Evaluate once and write everything that was recorded since the last time."""
        outcomes = evaluate(self.agent, self.env, self.num_requests, self.seed)
        self.satisfaction = float(np.mean(outcomes["reward"]))
        self.agent.logger.record("evaluation/satisfaction", self.satisfaction)
        for name in ("latency_s", "energy_j", "attempts", "failed"):
            self.agent.logger.record(f"evaluation/{name}", float(np.mean(outcomes[name])))
        self.agent.dump_logs()


class ProgressBar(BaseCallback):
    """Requests learnt from, time left and the latest satisfaction, on one line.

    Args:
        curve: where the latest satisfaction comes from.
        total_requests: the end of the bar.
        console: where to draw.
    """

    def __init__(self, curve: LearningCurve, total_requests: int, console: Console) -> None:
        super().__init__()
        self.curve, self.total_requests = curve, total_requests
        self._progress = Progress(
            TextColumn("[bold]Training"),
            BarColumn(),
            TextColumn(
                "{task.completed:,.0f}/{task.total:,.0f} requests · satisfaction {task.fields[satisfaction]} · left"
            ),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID = self._progress.add_task("", total=total_requests, satisfaction="–")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _on_step(self) -> bool:
        latest = self.curve.satisfaction
        self._progress.update(
            self._task,
            completed=min(self.num_timesteps, self.total_requests),
            satisfaction=f"{latest:.3f}" if np.isfinite(latest) else "–",
        )
        return True
