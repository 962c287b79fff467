"""Export a trained policy for the edge: `python -m agents export policy=root format=onnx output=root.onnx`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from agents.policies.base import check_plan_names, told_plan_names
from agents.policies.exported import ExportedPolicy, GreedyNetwork, greedy_network, physical_state
from agents.policies.loading import policy_file
from agents.policies.onnx_file import write_onnx
from envs import SplitVectorEnv, checks
from envs.checks import Natural
from envs.command_line import command, plain

BATCH = 4096


@dataclass(frozen=True)
class Agreement:
    """Decisions of a file beside the agent's.

    Attributes:
        states: compared.
        different: of them, decided otherwise.
        largest_gap: among those, of the agent's best value over the one that the file chose; 0 where there are none.
        rounding: what a difference of this size means: four units in the last place of the largest value there.
    """

    states: int
    different: int
    largest_gap: float
    rounding: float

    def __str__(self) -> str:
        if not self.different:
            return f"the same decision as the agent's in all of {self.states:,} states"
        return (
            f"another decision than the agent's in {self.different:,} of {self.states:,} states, between values that "
            f"differ by at most {self.largest_gap:.2g} (float32 rounds these to {self.rounding:.2g})"
        )


def compare_decisions(agent: Any, exported: Any, network: GreedyNetwork, states: NDArray[np.float64]) -> Agreement:
    """Compare on physical states, float64 [N, O].

    Args:
        agent: stable-baselines3's, the reference: `predict`.
        exported: the file's network.
        network: the plain arrays, for values of the decisions that differ, in float64.
        states: in physical units.
    """
    different, gap, rounding = 0, 0.0, 0.0
    for start in range(0, len(states), BATCH):
        batch = states[start : start + BATCH]
        observations = network.normalised(batch)
        own, _ = agent.predict(observations, deterministic=True)
        other = exported.actions(batch)
        where = np.flatnonzero(own != other)
        if len(where):
            values = network.values(observations[where].astype(np.float64))
            rows = np.arange(len(where))
            different += len(where)
            gap = max(gap, float(np.abs(values[rows, own[where]] - values[rows, other[where]]).max()))
            rounding = max(rounding, 4 * float(np.spacing(np.float32(np.abs(values).max()))))
    return Agreement(len(states), different, gap, rounding)


FORMATS = {"onnx": ".onnx", "safetensors": ".safetensors"}


@dataclass(frozen=True)
class ExportSettings:
    """`configs/export.yaml`.

    Attributes:
        policy: `root`, a run's folder, or the zip of a trained agent.
        format: a key of `FORMATS`.
        output: the file.
        plans: that the agent was trained with.
        check_states: random states on which the file is compared with the agent.
    """

    policy: str
    format: str
    output: str
    plans: str | list[str]
    check_states: Natural

    def __post_init__(self) -> None:
        checks.choice("format", self.format, FORMATS)
        path = Path(self.output)
        if path.suffix != FORMATS[self.format]:
            raise ValueError(f"output of format {self.format} must end in {FORMATS[self.format]}, got {path}")
        if not path.parent.is_dir():
            raise ValueError(f"there is no folder {path.parent} to write {path.name} to")


def random_states(count: int) -> NDArray[np.float64]:
    """States within the observation's bounds, float64 [count, 7] in physical units, uniform as the agent sees them."""
    return physical_state(np.random.default_rng(0).random((count, 7), dtype=np.float32))


@command("export")
def main(config: DictConfig) -> None:
    """Write the file, then read it and compare its decisions with the agent's."""
    settings = checks.parse(ExportSettings, plain(config))
    from agents.policies.trained import TrainedPolicy  # torch: after help and mistakes

    agent, output = TrainedPolicy.load(policy_file(settings.policy)).agent, Path(settings.output)
    plans = SplitVectorEnv(1, plans=settings.plans).model.plan_names
    check_plan_names(settings.policy, told_plan_names(agent), plans)
    network = greedy_network(agent, plans)
    if settings.format == "onnx":
        write_onnx(network, output)
    else:
        network.save(output)
    print(f"wrote {output}: {', '.join(network.names)} (physical units) -> one of {len(plans)} plans")
    if settings.check_states:
        states = random_states(settings.check_states)
        print(compare_decisions(agent, ExportedPolicy.load(output).network, network, states))
