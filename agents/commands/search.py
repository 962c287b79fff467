"""Search of hyperparameters with Optuna: `python -m agents.commands.search study=FILE trials=20`; resumable, prunes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from agents.runs.resolvers import register_resolvers
from agents.runs.settings import GROUPS, TrainSettings, check_keys, plain
from envs.command_line import CONFIGS, one_line_errors

OWN_KEYS = ("study", "trials", "space")
RANGE, CHOICES = {"key", "low", "high"}, {"key", "choices"}


def search(config: DictConfig) -> None:
    """Run trials until the study has as many finished ones as asked for, and print the best.

    Args:
        config: `configs/search.yaml`, composed.

    Raises:
        ValueError: bad input, before any work; or Optuna is not installed.
    """
    settings = TrainSettings.from_config(config, (*GROUPS, "agent", *OWN_KEYS))
    trials, space = config.trials, [plain(entry) for entry in config.space]
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise ValueError(f"trials must be an integer >= 1, got {trials!r}")
    for entry in space:
        check_entry(entry, config)
    try:
        import optuna
    except ImportError as error:
        raise ValueError("the search needs optuna: pip install 'semaigc[search]'") from error
    from agents.runs.trial import Trainer

    trainer = Trainer(config, settings)
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
        return trainer.train({entry["key"]: suggested(trial, entry) for entry in space}, trial)

    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    while (done := len(study.get_trials(deepcopy=False, states=states))) < trials:
        study.optimize(objective, n_trials=1)
        last = study.trials[-1]
        print(
            f"{done + 1}/{trials} {last.state.name.lower()} {last.value:.4f} {command_of(config, last.params)}",
            flush=True,
        )
    best = command_of(config, study.best_params)
    print(f"best {study.best_value:.4f}: python train.py agent={config.agent.name} {best}")


def check_entry(entry: Mapping[str, Any], config: DictConfig) -> None:
    """Refuse an entry of the space that means nothing.

    Raises:
        ValueError: unknown or missing keys, a key that the configuration does not have, or a range upside down.
    """
    check_keys("space", entry, sorted(CHOICES if "choices" in entry else RANGE | ({"log"} & set(entry))))
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


@hydra.main(config_path=str(CONFIGS), config_name="search", version_base="1.3")
def main(config: DictConfig) -> None:
    """Search as `configs/search.yaml` says."""
    register_resolvers()
    with one_line_errors():
        search(config)


if __name__ == "__main__":
    with one_line_errors():
        main()
