"""Compare policies on the same requests, in a table, a CSV file and figures: `python evaluate.py --help`."""

from __future__ import annotations

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from envs.command_line import one_line_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="evaluate")
def main(config: DictConfig) -> None:
    """Evaluate as `configs/evaluate.yaml` says."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    with one_line_errors(clean=folder):
        from agents.runs.evaluation import (
            evaluate_policies,
        )  # heavy imports wait until help and mistakes are dealt with

        evaluate_policies(config, folder)


if __name__ == "__main__":
    with one_line_errors():
        main()
