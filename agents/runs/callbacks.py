"""What happens while an agent learns: progress, learning curve, decision maps, checkpoints, a request to stop."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from stable_baselines3.common.callbacks import BaseCallback

from agents.evaluation.rollouts import evaluate
from agents.policies import Predictor, load_policy
from agents.policies.trained import TrainedPolicy
from agents.runs.snapshot import undisturbed
from envs.command_line import Interrupted, StopRequest

LOGGED = ("latency_s", "latency_edge_s", "latency_link_s", "latency_user_s", "energy_j", "attempts", "failed")
"""What the learning curve shows beside satisfaction and regret: means over its requests."""


class EveryRequests(BaseCallback):
    """Call `action` at the first step of every `period` requests, counted over resumed runs.

    It does not disturb the training: what it draws from the global random streams is given back.
    """

    def __init__(self, period: int, action: Callable[[], None]) -> None:
        super().__init__()
        self.period, self.action = period, action

    def _on_training_start(self) -> None:
        self._periods = self.model.num_timesteps // self.period

    def _is_due(self) -> bool:
        """Whether another period is over since the last time."""
        before, self._periods = self._periods, self.model.num_timesteps // self.period
        return self._periods > before

    def _on_step(self) -> bool:
        if self._is_due():
            with undisturbed(self.model):
                self.action()
        return True


class LearningCurve:
    """Evaluate a learning agent on the same requests each time, and log how it does.

    Args:
        agent: the agent, with the run's logger.
        env: an environment of its own to evaluate in.
        num_requests, seed: of the requests, each time.

    Attributes:
        satisfaction: the latest mean reward; NaN before the first evaluation.
    """

    def __init__(self, agent: Any, env: gym.vector.VectorEnv[Any, Any, Any], num_requests: int, seed: int) -> None:
        self.agent, self.env, self.num_requests, self.seed = agent, env, num_requests, seed
        self.policy = TrainedPolicy(agent, env)  # which knows what the environment makes impossible
        self.satisfaction = float("nan")

    def __call__(self) -> None:
        """Evaluate once and write everything that was recorded since the last time."""
        outcomes = self._serve(self.policy)
        self.satisfaction = float(np.mean(outcomes["reward"]))
        record = self.agent.logger.record
        record("evaluation/satisfaction", self.satisfaction)
        record("evaluation/oracle_satisfaction", self.oracle_satisfaction)
        record("evaluation/regret", self.oracle_satisfaction - self.satisfaction)
        for name in LOGGED:
            record(f"evaluation/{name}", float(np.mean(outcomes[name])))
        self.agent.dump_logs()

    @cached_property
    def oracle_satisfaction(self) -> float:
        """Mean reward of the oracle on the same requests."""
        return float(np.mean(self._serve(load_policy("oracle", self.env))["reward"]))

    def _serve(self, policy: Predictor) -> dict[str, NDArray[Any]]:
        return evaluate(policy, self.env, self.num_requests, self.seed)


class Checkpoints(EveryRequests):
    """Save at the first round after every `period` requests, counted over resumed runs, and at a request to stop.

    A round is what an agent collects between two updates. Only between two rounds is there nothing half done, so that
    a run that starts from a checkpoint ends as one that never stopped.

    Raises:
        Interrupted: in training, once the checkpoint is written that was asked for.
    """

    def __init__(self, period: int, save: Callable[[], None], stop: StopRequest) -> None:
        super().__init__(period, save)
        self.stop = stop

    def _on_rollout_start(self) -> None:
        if self._is_due() or self.stop.asked:
            self.action()
        if self.stop.asked:
            raise Interrupted

    def _on_step(self) -> bool:
        return True


class ProgressBar(BaseCallback):
    """Share of the requests, reward, epsilon where there is one, latest satisfaction and time left, on one line.

    Args:
        curve: where the latest satisfaction comes from.
        total_requests: the end of the bar, drawn on `console`.
    """

    def __init__(self, curve: LearningCurve, total_requests: int, console: Console) -> None:
        super().__init__()
        self.curve, self.total_requests = curve, total_requests
        self._progress = Progress(
            BarColumn(bar_width=8),  # all of it fits into 80 columns
            TextColumn("{task.percentage:.0f}% · {task.fields[figures]} · left"),
            TimeRemainingColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _on_training_start(self) -> None:
        learnt = self.model.num_timesteps
        self._task = self._progress.add_task("", total=self.total_requests, completed=learnt, figures=self.figures())

    def _on_step(self) -> bool:
        completed = min(self.num_timesteps, self.total_requests)
        self._progress.update(self._task, completed=completed, figures=self.figures())
        return True

    def figures(self) -> str:
        """How the agent does: mean reward a request of the last sessions, epsilon, satisfaction when it is greedy."""
        sessions = self.model.ep_info_buffer or ()
        requests = sum(session["l"] for session in sessions)
        reward = sum(session["r"] for session in sessions) / requests if requests else float("nan")
        epsilon = getattr(self.model, "exploration_rate", None)
        values = {"reward": reward, "epsilon": epsilon, "satisfaction": self.curve.satisfaction}
        return " · ".join(
            f"{name} {value:.3f}" if np.isfinite(value) else f"{name} –"
            for name, value in values.items()
            if value is not None
        )
