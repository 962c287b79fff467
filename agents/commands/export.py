"""Export a trained policy for the edge: `python -m agents export policy=root format=onnx output=root.onnx`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from agents.policies.exported import GreedyNetwork
from envs.command_line import command

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
SEED = 0


def random_states(count: int, seed: int = SEED) -> NDArray[np.float64]:
    """States within the observation's bounds, float64 [count, 7] in physical units, uniform as the agent sees them."""
    from agents.policies.exported import physical_state

    observations = np.random.default_rng(seed).random((count, 7), dtype=np.float32)
    return physical_state(observations)


@command("export")
def main(config: DictConfig) -> None:
    """Write the file, then read it and compare its decisions with the agent's."""
    form, output, states = str(config.format), Path(config.output), config.check_states
    if form not in FORMATS:
        raise ValueError(f"unknown format {form!r}; allowed: {', '.join(FORMATS)}")
    if output.suffix != FORMATS[form]:
        raise ValueError(f"output of format {form} must end in {FORMATS[form]}, got {output}")
    if not output.parent.is_dir():
        raise ValueError(f"there is no folder {output.parent} to write {output.name} to")
    if isinstance(states, bool) or not isinstance(states, int) or states < 0:
        raise ValueError(f"check_states must be an integer >= 0, got {states!r}")
    from agents.policies.base import check_plan_names, told_plan_names
    from agents.policies.exported import ExportedPolicy, greedy_network
    from agents.policies.loading import policy_file
    from agents.policies.onnx_file import write_onnx
    from agents.policies.trained import TrainedPolicy
    from envs import SplitVectorEnv
    from envs.command_line import plain

    agent = TrainedPolicy.load(policy_file(str(config.policy))).agent
    plans = SplitVectorEnv(1, plans=plain(config)["plans"]).model.plan_names
    check_plan_names(str(config.policy), told_plan_names(agent), plans)
    network = greedy_network(agent, plans)
    if form == "onnx":
        write_onnx(network, output)
    else:
        network.save(output)
    print(f"wrote {output}: {', '.join(network.names)} (physical units) -> one of {len(plans)} plans")
    if states:
        print(compare_decisions(agent, ExportedPolicy.load(output).network, network, random_states(states)))
