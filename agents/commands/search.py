"""Search the hyperparameters of an agent with Optuna: `python -m agents search study=FILE trials=20`.

What is searched for is satisfaction on the requests of the learning curve after `total_requests`. A trial that is worse
than the median of the others at the same number of requests is pruned.

    python -m agents search study=outputs/search/d3qn.db trials=20      again with trials=40: twenty more
    python -m agents search agent=ppo 'space=[{key: agent.ent_coef, low: 1e-4, high: 0.1, log: true}]'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from agents.reports.provenance import command_line
from agents.runs.resolvers import register_resolvers
from agents.runs.settings import GROUPS, AgentSettings, TrainSettings, override_keys, read_settings
from agents.runs.setup import prepare_environment
from envs.checks import Count
from envs.command_line import command

OWN_KEYS = ("study", "trials", "space")


@dataclass(frozen=True)
class Searched:
    """A key of the configuration, and its range, of integers where both ends are integers, or its choices."""

    key: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: list[Any] | None = None

    def __post_init__(self) -> None:
        if (self.choices is None) == (self.low is None or self.high is None):
            raise ValueError(f"{self.key} in space needs either low and high, or choices")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high} of {self.key}")

    def suggested(self, trial: Any) -> Any:
        """The trial's value of the key."""
        if self.choices is not None:
            return trial.suggest_categorical(self.key, self.choices)
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.key, self.low, self.high, log=self.log)
        return trial.suggest_float(self.key, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class SearchSettings(TrainSettings):
    """`configs/search.yaml` outside the groups: those of a training, the study's file, and trials to finish in all."""

    study: str
    trials: Count
    space: list[Searched]


@command("search")
def main(config: DictConfig) -> None:
    """Run trials until the study has as many finished ones as asked for, and print the best."""
    register_resolvers()
    settings = read_settings(SearchSettings, config, (*GROUPS, "agent"))
    for one in settings.space:
        if OmegaConf.select(config, one.key) is None:
            raise ValueError(f"space has the key {one.key!r}, the configuration has not")
    try:
        import optuna
    except ImportError as error:
        raise ValueError("the search needs optuna: pip install 'semaigc[search]'") from error

    train = trainer(config, settings)
    path = Path(settings.study)
    path.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{path}", study_name=path.stem, direction="maximize", load_if_exists=True
        )
    except Exception as error:  # of sqlalchemy, which has many
        raise ValueError(f"{path} is not a study ({type(error).__name__})") from error
    earlier = len(study.trials)  # a resumed search does not draw the first trials again
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + earlier)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4)

    def objective(trial: Any) -> float:
        return train({one.key: one.suggested(trial) for one in settings.space}, trial)

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    while (done := len(study.get_trials(deepcopy=False, states=states))) < settings.trials:
        study.optimize(objective, n_trials=1)
        last = study.trials[-1]
        values = " ".join(overrides_of(config, last.params))
        print(f"{done + 1}/{settings.trials} {last.state.name.lower()} {last.value:.4f} {values}", flush=True)
    print(f"best {study.best_value:.4f}: {training_of(config, study.best_params)}")


def trainer(config: DictConfig, settings: TrainSettings) -> Callable[[Mapping[str, Any], Any], float]:
    """What trains an agent with some hyperparameters, reports its learning curve, and returns its satisfaction.

    Args:
        config: of the training.
        settings: the same, checked.

    Returns:
        (key of the configuration -> value, Optuna's trial) -> satisfaction after training. It raises `TrialPruned`
        where the others did better at the same number of requests.

    Raises:
        ValueError: anything in the configuration that is unknown or does not fit the rest.
    """
    from optuna import TrialPruned
    from stable_baselines3.common.logger import Logger

    from agents.runs.callbacks import EveryRequests, LearningCurve
    from agents.runs.learn import Lesson, learn, new_agent
    from envs import SplitVectorEnv

    environment, _ = prepare_environment(config, settings.num_envs)
    given = AgentSettings.from_config(config.agent)
    lesson = Lesson(given, environment, settings.total_requests, settings.num_envs, settings.seed)
    new_agent(lesson)  # refuses what does not fit

    def train(parameters: Mapping[str, Any], trial: Any) -> float:
        own = AgentSettings.from_config(changed(config, parameters).agent)
        agent = new_agent(replace(lesson, agent=own))
        agent.set_logger(Logger(None, []))
        evaluation = SplitVectorEnv(settings.num_envs, environment)
        curve = LearningCurve(agent, evaluation, settings.evaluation.num_requests, settings.evaluation.seed)

        def report() -> None:
            curve()
            trial.report(curve.satisfaction, agent.num_timesteps)
            if trial.should_prune():
                raise TrialPruned

        learn(agent, settings.total_requests, [EveryRequests(settings.evaluation.every_requests, report)])
        curve()
        return curve.satisfaction

    return train


def training_of(config: DictConfig, parameters: Mapping[str, Any]) -> str:
    """The command that trains with some parameters, and with all else that the search was given."""
    about, searched = HydraConfig.get(), overrides_of(config, parameters)
    left_out = {"agent", *OWN_KEYS, *override_keys(searched)}
    given = zip(override_keys(about.overrides.task), about.overrides.task, strict=True)
    others = [override for key, override in given if key not in left_out]
    return command_line("train.py", [f"agent={about.runtime.choices['agent']}", *others, *searched])


def overrides_of(config: DictConfig, parameters: Mapping[str, Any]) -> list[str]:
    """Parameters as arguments of the command line, which takes lists only whole."""
    names = dict.fromkeys(key.partition("[")[0] for key in parameters)
    after = changed(config, parameters)
    return [f"{name}={OmegaConf.select(after, name)}".replace(", ", ",") for name in names]


def changed(config: DictConfig, parameters: Mapping[str, Any]) -> DictConfig:
    """A copy of the configuration with other values of some keys."""
    copy = config.copy()
    for key, value in parameters.items():
        OmegaConf.update(copy, key, value)
    return copy
