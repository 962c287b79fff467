"""Search the hyperparameters of an agent with Optuna: `python -m agents search study=FILE trials=20`.

What is searched for is satisfaction on the requests of the learning curve after `total_requests`. A trial that is worse
than the median of the others at the same number of requests is pruned.

    python -m agents search study=outputs/search/d3qn.db trials=20      again with trials=40: twenty more
    python -m agents search agent=ppo 'space=[{key: agent.ent_coef, low: 1e-4, high: 0.1, log: true}]'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from agents.runs.resolvers import register_resolvers
from agents.runs.settings import GROUPS, AgentSettings, TrainSettings, read_settings
from agents.runs.setup import prepare_environment
from envs import checks
from envs.command_line import command, plain

OWN_KEYS = ("study", "trials", "space")
RANGE, CHOICES = {"key", "low", "high"}, {"key", "choices"}


@command("search")
def main(config: DictConfig) -> None:
    """Search as `configs/search.yaml` says."""
    register_resolvers()
    search(config)


def search(config: DictConfig) -> None:
    """Run trials until the study has as many finished ones as asked for, and print the best.

    Args:
        config: `configs/search.yaml`, composed.

    Raises:
        ValueError: bad input, before any work; or Optuna is not installed.
    """
    settings = read_settings(TrainSettings, config, (*GROUPS, "agent", *OWN_KEYS))
    trials, space = checks.integer("trials", config.trials, 1), [plain(entry) for entry in config.space]
    for entry in space:
        check_entry(entry, config)
    try:
        import optuna
    except ImportError as error:
        raise ValueError("the search needs optuna: pip install 'semaigc[search]'") from error

    train = trainer(config, settings)
    path = Path(config.study)
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
        return train({entry["key"]: suggested(trial, entry) for entry in space}, trial)

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    while (done := len(study.get_trials(deepcopy=False, states=states))) < trials:
        study.optimize(objective, n_trials=1)
        last = study.trials[-1]
        told = command_of(config, last.params)
        print(f"{done + 1}/{trials} {last.state.name.lower()} {last.value:.4f} {told}", flush=True)
    best = command_of(config, study.best_params)
    print(f"best {study.best_value:.4f}: python train.py agent={config.agent.name} {best}")


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
    own = AgentSettings.from_config(config.agent)
    lesson = Lesson(own, environment, settings.total_requests, settings.num_envs, settings.seed)
    new_agent(lesson)  # refuses what does not fit

    def train(parameters: Mapping[str, Any], trial: Any) -> float:
        changed = config.copy()
        for key, value in parameters.items():
            OmegaConf.update(changed, key, value)
        agent = new_agent(replace(lesson, agent=AgentSettings.from_config(changed.agent)))
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


def check_entry(entry: Mapping[str, Any], config: DictConfig) -> None:
    """Refuse an entry of the space that means nothing.

    Raises:
        ValueError: unknown or missing keys, a key that the configuration does not have, or a range upside down.
    """
    checks.keys("space", entry, sorted(CHOICES if "choices" in entry else RANGE | ({"log"} & set(entry))))
    if OmegaConf.select(config, entry["key"]) is None:
        raise ValueError(f"space has the key {entry['key']!r}, the configuration has not")
    if "choices" in entry and not (isinstance(entry["choices"], list) and entry["choices"]):
        raise ValueError(f"choices of {entry['key']} must be a list that is not empty, got {entry['choices']!r}")
    if "low" in entry and not entry["low"] < entry["high"]:
        raise ValueError(f"low must be below high, got {entry['low']} and {entry['high']} of {entry['key']}")


def suggested(trial: Any, entry: Mapping[str, Any]) -> Any:
    """The trial's value of an entry: an integer where both ends are integers."""
    if "choices" in entry:
        return trial.suggest_categorical(entry["key"], entry["choices"])
    low, high, log = entry["low"], entry["high"], bool(entry.get("log", False))
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(entry["key"], low, high, log=log)
    return trial.suggest_float(entry["key"], low, high, log=log)


def command_of(config: DictConfig, parameters: Mapping[str, Any]) -> str:
    """Parameters as arguments of the command line, which takes lists only whole."""
    changed = config.copy()
    for key, value in parameters.items():
        OmegaConf.update(changed, key, value)
    names = dict.fromkeys(key.partition("[")[0] for key in parameters)
    return " ".join(f"{name}={OmegaConf.select(changed, name)}".replace(", ", ",") for name in names)
