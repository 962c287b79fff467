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
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from envs.command_line import command

sys.argv = [argument.replace("+experiment=", "experiment=", 1) for argument in sys.argv]  # as it was once written


@command("evaluate")
def main(config: DictConfig) -> None:
    """Evaluate as `configs/evaluate.yaml` says."""
    run = HydraConfig.get()
    folder = Path(run.runtime.output_dir)
    if "experiment" in config:
        from agents.experiments.shared.run import run_experiment  # heavy: after help and mistakes

        run_experiment(config, folder, run.overrides.task)
    else:
        from agents.runs.evaluation import evaluate_policies

        evaluate_policies(config, folder, run.overrides.task, run.runtime.choices["scenario"])
