"""Search the hyperparameters of an agent with Optuna: `python -m agents search study=FILE trials=20`.

What is searched for is satisfaction on the requests of the learning curve after `total_requests`. A trial that is worse
than the median of the others at the same number of requests is pruned. A study is of one agent, space, environment and
number of requests, and goes on with these only; `seed` and `trials` may change.

    python -m agents search study=outputs/search/d3qn.db trials=20      again with trials=40: twenty more
    python -m agents search agent=ppo 'space=[{key: agent.ent_coef, low: 1e-4, high: 0.1, log: true}]'
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from agents.policies.loading import policy_file
from agents.reports.provenance import file_fingerprint, script
from agents.runs.resolvers import register_resolvers
from agents.runs.settings import (
    GROUPS,
    AgentSettings,
    TrainSettings,
    environment_settings,
    override_keys,
    read_settings,
)
from agents.runs.setup import prepare_environment
from envs.checks import Count
from envs.command_line import argument, command, command_line, flatten, plain
from envs.transceiver import SHIPPED_PROFILE

OWN_KEYS = ("study", "trials", "space")
SHAPING = ("agent", "env", "scenario", "channel", "transceiver", "devices", "costs", "total_requests", "num_envs")
"""Keys that the value of a trial depends on, beside the learning curve and the seed, which is luck."""
CONFIGURATION, COMMAND = "configuration", "command"
"""Attributes of a study, and of its trials."""
NAMED = 3
"""Differences that a refusal names."""


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

    @property
    def ends(self) -> list[Any]:
        """The extreme values that it can take, or all of its choices."""
        return [self.low, self.high] if self.choices is None else self.choices

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
    from agents.factory import check_hyperparameters  # torch: after help and mistakes

    for one in settings.space:
        for value in one.ends:
            tried = AgentSettings.from_config(changed(config, {one.key: value}).agent)
            check_hyperparameters(tried.name, tried.hyperparameters)
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
    bind(study, path, configuration_of(config, settings))
    earlier = len(study.trials)  # a resumed search does not draw the first trials again
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + earlier)
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4)

    def objective(trial: Any) -> float:
        parameters = {one.key: one.suggested(trial) for one in settings.space}
        trial.set_user_attr(COMMAND, training_of(config, parameters))
        return train(parameters, trial)

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    before = done = len(study.get_trials(deepcopy=False, states=states))
    start = time.monotonic()
    if done < settings.trials:
        print(f"{settings.trials - done} trials to go, up to {settings.total_requests:,} requests each", flush=True)
    while done < settings.trials:
        study.optimize(objective, n_trials=1)
        done = len(study.get_trials(deepcopy=False, states=states))
        gone = time.monotonic() - start
        left = gone / max(1, done - before) * max(0, settings.trials - done)
        last = study.trials[-1]
        print(
            f"{done}/{settings.trials} {last.state.name.lower()} {last.value:.4f} · best {study.best_value:.4f} · "
            f"{_clock(gone)} gone, {_clock(left)} left · {' '.join(overrides_of(config, last.params))}",
            flush=True,
        )
    print(f"best {study.best_value:.4f}: {study.best_trial.user_attrs[COMMAND]}")


def configuration_of(config: DictConfig, settings: SearchSettings) -> dict[str, Any]:
    """What the trials of a study have in common, by key: files by their content, and what is searched for by its space.

    Args:
        config: of the search.
        settings: the same, checked.
    """
    common = changed(config, dict.fromkeys((one.key for one in settings.space), "searched"))
    shaping = {key: common[key] for key in SHAPING}
    curve = OmegaConf.masked_copy(common.evaluation, ["every_requests", "num_requests", "seed"])
    space = {one.key: {name: value for name, value in vars(one).items() if name != "key"} for one in settings.space}
    found = flatten(shaping | {"evaluation": curve, "space": space})
    found["env.profile"] = f"file {file_fingerprint(Path(config.env.profile or SHIPPED_PROFILE))}"
    if config.agent.init_from is not None:
        start = policy_file(config.agent.init_from, environment_settings(config).acceptance_rule)
        found["agent.init_from"] = f"file {file_fingerprint(start)}"
    return found


def bind(study: Any, path: Path, configuration: Mapping[str, Any]) -> None:
    """Keep a study to the configuration of its first trial.

    Args:
        study: Optuna's, new or earlier.
        path: of its file.
        configuration: of the trials to come.

    Raises:
        ValueError: the trials that are there had another one; the message names what differs.
    """
    there = study.user_attrs.get(CONFIGURATION)
    if there is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(CONFIGURATION, dict(configuration))
        return
    if there is None:
        raise ValueError(f"{path} does not say what its trials were made with; choose another file (study=...)")
    keys = [key for key in {**there, **configuration} if there.get(key) != configuration.get(key)]
    if keys:
        named = [f"{key} is {there.get(key, 'unset')} there, {configuration.get(key, 'unset')} here" for key in keys]
        more = f"; {len(keys) - NAMED} more" if len(keys) > NAMED else ""
        raise ValueError(
            f"{path} is a study of another configuration: {'; '.join(named[:NAMED])}{more}; choose another file "
            "(study=...)"
        )


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


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
    given = dict(zip(override_keys(about.overrides.task), about.overrides.task, strict=True))
    others = [override for key, override in given.items() if key not in left_out]
    searched = [
        f"+{each}" if given.get(key, "").startswith("+") else each  # train.py does not know it either
        for key, each in zip(override_keys(searched), searched, strict=True)
    ]
    return command_line(script("train.py"), [f"agent={about.runtime.choices['agent']}", *others, *searched])


def overrides_of(config: DictConfig, parameters: Mapping[str, Any]) -> list[str]:
    """Parameters as arguments of the command line, which takes lists only whole."""
    names = dict.fromkeys(key.partition("[")[0] for key in parameters)
    after = changed(config, parameters)
    values = {name: OmegaConf.select(after, name) for name in names}
    return [argument(name, plain({name: value})[name]) for name, value in values.items()]


def changed(config: DictConfig, parameters: Mapping[str, Any]) -> DictConfig:
    """A copy of the configuration with other values of some keys."""
    copy = config.copy()
    for key, value in parameters.items():
        OmegaConf.update(copy, key, value)
    return copy
