"""Compare policies on the same requests, or run an experiment: `python evaluate.py --help`."""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from envs.command_line import one_line_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="evaluate")
def main(config: DictConfig) -> None:
    """Evaluate as `configs/evaluate.yaml` says."""
    run = HydraConfig.get()
    folder = Path(run.runtime.output_dir)
    with one_line_errors(clean=folder):
        if "experiment" in config:
            from agents.experiments.run import run_experiment

            run_experiment(config, folder, run.overrides.task)
        else:  # heavy imports wait until help and mistakes are dealt with
            from agents.runs.evaluation import evaluate_policies

            evaluate_policies(config, folder, run.overrides.task, run.runtime.choices["scenario"])


if __name__ == "__main__":
    with one_line_errors():
        main()
