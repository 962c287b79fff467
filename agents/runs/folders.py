"""The folder of one run: its configuration, its last checkpoint, its policy. Nothing is ever half written."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from envs.files import whole_file

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True)
class RunFolder:
    """Where one training run keeps its files.

    | file | what |
    |---|---|
    | `config.yaml` | the composed configuration |
    | `checkpoint-N/` | agent and replay buffer after N requests; only the last one is kept |
    | `policy.zip` | the trained agent, in stable-baselines3's format |
    | `comparison.csv`, `figures/` | the comparison of policies |
    | `events.out.tfevents.*` | TensorBoard |

    Attributes:
        path: the folder; it need not exist yet.
    """

    path: Path

    @property
    def config_file(self) -> Path:
        """The composed configuration."""
        return self.path / "config.yaml"

    @property
    def policy_file(self) -> Path:
        """The trained agent."""
        return self.path / "policy.zip"

    def save_config(self, config: DictConfig) -> None:
        """Write the configuration as it was composed, but as one that resumes nothing."""
        self.path.mkdir(parents=True, exist_ok=True)
        with whole_file(self.config_file) as partial:
            OmegaConf.save(OmegaConf.merge(config, {"resume": None}), partial)

    def load_config(self) -> DictConfig:
        """The configuration of the run in this folder.

        Raises:
            ValueError: the folder holds no run.
        """
        if not self.config_file.is_file():
            raise ValueError(f"{self.path} is not the folder of a training run: it holds no {self.config_file.name}")
        config = OmegaConf.load(self.config_file)
        if not isinstance(config, DictConfig):
            raise ValueError(f"{self.config_file} holds a list, expected a configuration")
        return config

    def save_policy(self, agent: BaseAlgorithm) -> None:
        """Write the trained agent under a temporary name, then rename it."""
        with whole_file(self.policy_file) as partial:
            agent.save(partial)

    def save_checkpoint(self, agent: BaseAlgorithm) -> None:
        """Write agent and replay buffer as the newest checkpoint, then remove the older ones."""
        older = self._checkpoints()
        target = self.path / f"checkpoint-{agent.num_timesteps}"
        partial = self.path / "checkpoint.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        agent.save(partial / "agent.zip")
        if isinstance(agent, OffPolicyAlgorithm):
            agent.save_replay_buffer(partial / "replay_buffer.pkl")
        if target in older:
            shutil.rmtree(target)
        partial.replace(target)
        for checkpoint in older:
            if checkpoint != target:
                shutil.rmtree(checkpoint)

    def restore(self, agent: BaseAlgorithm) -> BaseAlgorithm:
        """The agent of the newest checkpoint: networks, optimiser, replay buffer, count of requests.

        It goes on with new random numbers, so that it does not meet the first requests again.

        Both files are pickles: resume only folders that you trust.

        Args:
            agent: a fresh agent of the same kind and sizes, with its environment.

        Returns:
            The restored agent; `agent` itself where there is no checkpoint yet.
        """
        checkpoints = self._checkpoints()
        if not checkpoints:
            return agent
        newest = checkpoints[-1]
        restored = type(agent).load(newest / "agent.zip", env=agent.get_env(), device=agent.device)
        if isinstance(restored, OffPolicyAlgorithm):
            restored.load_replay_buffer(newest / "replay_buffer.pkl")
        if restored.seed is not None:
            restored.set_random_seed(restored.seed + restored.num_timesteps)
        return restored

    def _checkpoints(self) -> list[Path]:
        found = [child for child in self.path.glob("checkpoint-*") if _CHECKPOINT.fullmatch(child.name)]
        return sorted(found, key=lambda child: int(child.name.partition("-")[2]))
