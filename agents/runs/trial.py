"""One trial of a search: a training that reports its learning curve and may be given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from optuna import TrialPruned
from stable_baselines3.common.logger import Logger

from agents.factory import make_agent
from agents.runs.callbacks import EveryRequests, LearningCurve
from agents.runs.settings import TrainSettings, plain
from agents.runs.setup import prepare
from envs import SplitVectorEnv


class Trainer:
    """Trains agents that differ in hyperparameters, on the same requests.

    Args:
        config: of the training.
        settings: the same, checked.

    Raises:
        ValueError: anything in the configuration that is unknown or does not fit the rest.
    """

    def __init__(self, config: DictConfig, settings: TrainSettings) -> None:
        torch.set_num_threads(1)  # the networks are small: a second thread costs more than it brings
        self.config, self.settings = config, settings
        self.keywords = prepare(config, settings.num_envs).keywords

    def train(self, parameters: Mapping[str, Any], trial: Any) -> float:
        """Satisfaction after training.

        Args:
            parameters: key of the configuration -> value.
            trial: Optuna's.

        Raises:
            TrialPruned: the others did better at the same number of requests.
        """
        config, settings = self.config.copy(), self.settings
        for key, value in parameters.items():
            OmegaConf.update(config, key, value)
        env = SplitVectorEnv(settings.num_envs, **self.keywords)
        agent = make_agent(env=env, seed=settings.seed, **plain(config.agent, exclude=["init_from"]))
        agent.set_logger(Logger(None, []))
        evaluation = SplitVectorEnv(settings.num_envs, **self.keywords)
        curve = LearningCurve(agent, evaluation, settings.evaluation_num_requests, settings.evaluation_seed)

        def report() -> None:
            curve()
            trial.report(curve.satisfaction, agent.num_timesteps)
            if trial.should_prune():
                raise TrialPruned

        callback = EveryRequests(settings.evaluation_every_requests, report)
        agent.learn(settings.total_requests, callback=callback, log_interval=None)  # type: ignore[arg-type]
        curve()
        return curve.satisfaction
