"""Compare policies on the same requests: table, CSV, figures, and one report.html with all of it; or run an experiment.

    python evaluate.py 'policies=[oracle,root,non_root,edge,local,non_finetuning,random]'
    python evaluate.py +policies.mine=outputs/train/FOLDER      a policy that train.py made, beside the others
    python evaluate.py +policies.mine=FILE.py:Class             a class of your own (docs/own_agent.md)
    python evaluate.py runs=outputs/sweeps/FOLDER               all runs of a sweep, seeds as runs of one group
    python evaluate.py runs=outputs/sweeps/FOLDER shard=0/8     a part of that, on any machine; shard=gather: the report
    python evaluate.py requests=train                           on those that agents learn from; else on unseen ones
    python evaluate.py 'seeds=[0,1,2]'                          more requests
    python evaluate.py scenario.snr_db=[-6,0]                   another scenario; scenarios=[...] for several
    python evaluate.py experiment=semaigc_fig8                  a figure of a paper, or an experiment of our own

`python -m agents evaluate` is the same from any folder.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from agents.experiments import EXPERIMENTS, module_of
from envs import checks
from envs.command_line import CONFIGS, command, flatten, one_line_errors, plain

UNUSED = ("num_requests", "num_envs", "bins", "figures", "seeds", "scenarios", "runs", "shard", "cells")
"""Keys that size the plain comparison only."""


@command("evaluate")
def run(config: DictConfig) -> None:
    """Evaluate as `configs/evaluate.yaml` says."""
    about = HydraConfig.get()
    folder = Path(about.runtime.output_dir)
    if "experiment" in config:
        name = checks.choice("experiment", config.experiment.get("name"), EXPERIMENTS)
        from agents.experiments.shared.run import run_experiment  # heavy: after help and mistakes

        run_experiment(import_module(module_of(name)), config, folder, about.runtime.choices["size"])
    else:
        from agents.runs.evaluation import evaluate_policies

        evaluate_policies(config, folder, about.overrides.task, about.runtime.choices["scenario"])


def main() -> None:
    """Evaluate; `+experiment=NAME` is `experiment=NAME`, as it was once written."""
    sys.argv = [argument[1:] if argument.startswith("+experiment=") else argument for argument in sys.argv]
    with one_line_errors():
        check_keys(sys.argv[1:])
    run()


def check_keys(arguments: Sequence[str]) -> None:
    """Lead keys that an experiment does not know to those that it has, however they are mistaken.

    Args:
        arguments: of the command line.

    Raises:
        ValueError: a key of an experiment without one, and beside one a key that sizes the plain comparison, that the
            experiment has under `experiment.`, or that nothing has.
    """
    given = dict(each.split("=", 1) for each in arguments if "=" in each and not each.startswith("-"))
    keys = {typed.lstrip("+~"): typed for typed in given}
    name = given.get("experiment")
    if name is None and (lost := [key for key in keys if key.startswith("experiment.")]):
        raise ValueError(f"{lost[0]} needs an experiment: experiment=NAME, one of {', '.join(EXPERIMENTS)}")
    if name not in EXPERIMENTS:
        return
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = plain(compose("evaluate", [f"experiment={name}"]))
    sizes: dict[str, Any] = config["experiment"]
    for key, typed in keys.items():
        top = re.split("[.@/]", key)[0]
        if top == "experiment":
            _check_size(key.partition(".")[2], sizes, is_added=typed.startswith("+"))
        elif top in UNUSED:
            raise ValueError(f"{key} sizes the plain comparison; {_meant(key, sizes)}")
        elif top not in config and top != "hydra" and not (CONFIGS / top).is_dir():
            raise ValueError(f"there is no {key}; {_meant(key, sizes)}")


def _check_size(key: str, sizes: Mapping[str, Any], is_added: bool) -> None:
    """Refuse an unknown key of the experiment; below a group, one that is added may be a hyperparameter."""
    is_known = not key or any(each == key or each.startswith(f"{key}.") for each in flatten(sizes))
    if not is_known and not (is_added and "." in key):
        raise ValueError(f"there is no experiment.{key}; {_meant(key, sizes)}")


def _meant(key: str, sizes: Mapping[str, Any]) -> str:
    """Which key of the experiment may have been meant, and all that there are."""
    near = get_close_matches(key, [*sizes, *flatten(sizes)], n=1)
    listed = ", ".join(f"experiment.{each}" for each in sizes if each != "name")
    return (f"did you mean experiment.{near[0]}? " if near else "") + f"the experiment takes {listed}"
