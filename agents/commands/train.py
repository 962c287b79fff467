"""Train an agent that decides where the denoising steps run, and compare it with the other policies.

    python train.py agent=d3qn scenario=paper seed=0 total_requests=800000
    python train.py -m agent=d3qn,dqn 'seed=range(5)'           a sweep; launcher=joblib runs it in parallel
    python train.py resume=outputs/train/FOLDER                 go on with an interrupted run, as the same command does
    python train.py agent.init_from=root scenario=FILE          from the shipped policy to another place
    tensorboard --logdir outputs

`python -m agents train` is the same from any folder.
"""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from agents.runs.resolvers import register_resolvers
from envs.command_line import command


@command("train")
def main(config: DictConfig) -> None:
    """Train as `configs/train.yaml` says."""
    register_resolvers()  # a launcher sends this function elsewhere, with the modules that it names
    from agents.runs.training import train  # heavy: after help and mistakes

    run = HydraConfig.get()
    train(config, Path(run.runtime.output_dir), run.overrides.task)
