"""The folder of one run: its configuration, its last checkpoint, its policy. Nothing is ever half written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.runs.resolvers import AUTO
from agents.runs.snapshot import put_snapshot, read_snapshot, take_snapshot, write_snapshot
from envs.command_line import flatten
from envs.files import whole_file

_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


class RunFolder:
    """Where one training run keeps its files.

    | file | what |
    |---|---|
    | `config.yaml` | the composed configuration |
    | `checkpoint-N` | everything that training goes on from after N requests; only the last one is kept |
    | `policy.zip` | the trained agent, in stable-baselines3's format |
    | `comparison.csv` | the comparison of policies |
    | `events.out.tfevents.*` | TensorBoard |

    Args:
        path: the folder; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.config_file, self.policy_file = path, path / "config.yaml", path / "policy.zip"

    def save_config(self, config: DictConfig) -> None:
        """Write the configuration as it was composed, but for `resume`, which is not the run's."""
        self.path.mkdir(parents=True, exist_ok=True)
        with whole_file(self.config_file) as partial:
            OmegaConf.save(OmegaConf.merge(config, {"resume": AUTO}), partial)

    def check_config(self, config: DictConfig) -> None:
        """Refuse a folder that holds a run of another configuration.

        Raises:
            ValueError: it does; the message names the keys that differ.
        """
        if not self.config_file.is_file():
            return
        there, here = flatten(self.load_config()), flatten(config)
        keys = sorted((there.keys() | here.keys()) - {"resume"})
        if others := [key for key in keys if there.get(key) != here.get(key)]:
            raise ValueError(
                f"{self.path} holds another run, it differs in {', '.join(others)}; choose another folder "
                "(hydra.run.dir=...) or remove it"
            )

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

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training in this folder; the death of this one opens it again.

        Raises:
            ValueError: another process trains here.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / ".lock", timeout=0):
                yield
        except Timeout:
            raise ValueError(f"another process trains in {self.path}") from None

    def save_checkpoint(self, agent: BaseAlgorithm) -> None:
        """Write a snapshot of the agent as the newest checkpoint, then remove the older ones.

        It gets its name when all of it is on the disk.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        older = self._checkpoints()
        partial = self.path / "snapshot.partial"
        write_snapshot(partial, take_snapshot(agent))
        newest = partial.replace(self.path / f"checkpoint-{agent.num_timesteps}")
        for checkpoint in older:
            if checkpoint != newest:
                checkpoint.unlink()

    def restore(self, agent: BaseAlgorithm) -> list[str]:
        """Make a fresh agent go on from the newest checkpoint, bit for bit as if it had never stopped.

        A checkpoint that cannot be read is passed over for an older one. Nothing in it is executed.

        Args:
            agent: fresh, made with the configuration of the run; it stays as it is where there is no checkpoint yet.

        Returns:
            What could not be read, one sentence a checkpoint.

        Raises:
            ValueError: no checkpoint can be read although there are some, or it is of another agent.
        """
        unreadable: list[str] = []
        checkpoints = self._checkpoints()
        for checkpoint in reversed(checkpoints):
            try:
                snapshot = read_snapshot(checkpoint)
            except ValueError as error:
                unreadable.append(str(error))
            else:
                put_snapshot(agent, snapshot)
                return unreadable
        if checkpoints:
            raise ValueError(f"{unreadable[0]}: remove it to start over, nothing else was lost")
        return []

    def _checkpoints(self) -> list[Path]:
        found = [child for child in self.path.glob("checkpoint-*") if _CHECKPOINT.fullmatch(child.name)]
        return sorted(found, key=lambda child: int(child.name.partition("-")[2]))
