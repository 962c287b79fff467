"""Compare policies on the same requests: table, CSV, figures, and one report.html with all of it; or run an experiment.

    python evaluate.py 'policies=[oracle,root,non_root,edge,local,non_finetuning,random]'
    python evaluate.py +policies.mine=outputs/train/FOLDER      a policy that train.py made, beside the others
    python evaluate.py runs=outputs/sweeps/FOLDER               all runs of a sweep, seeds as runs of one group
    python evaluate.py 'seeds=[0,1,2]'                          more requests
    python evaluate.py scenario.snr_db=[-6,0]                   another scenario; scenarios=[...] for several
    python evaluate.py experiment=semaigc_fig8                  a figure of a paper, or an experiment of our own

`python -m agents evaluate` is the same from any folder.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from agents.experiments import EXPERIMENTS
from envs import checks
from envs.command_line import command


@command("evaluate")
def run(config: DictConfig) -> None:
    """Evaluate as `configs/evaluate.yaml` says."""
    about = HydraConfig.get()
    folder = Path(about.runtime.output_dir)
    if "experiment" in config:
        name = checks.choice("experiment", config.experiment.get("name"), EXPERIMENTS)
        from agents.experiments.shared.run import run_experiment  # heavy: after help and mistakes

        run_experiment(import_module(f"agents.experiments.{name}"), config, folder, about.overrides.task)
    else:
        from agents.runs.evaluation import evaluate_policies

        evaluate_policies(config, folder, about.overrides.task, about.runtime.choices["scenario"])


def main() -> None:
    """Evaluate; `+experiment=NAME` is `experiment=NAME`, as it was once written."""
    sys.argv = [argument[1:] if argument.startswith("+experiment=") else argument for argument in sys.argv]
    run()
