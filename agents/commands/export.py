"""Export a trained policy for the edge: `python -m agents export policy=root format=onnx output=root.onnx`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from agents.policies.base import check_plan_names
from agents.policies.exported import NORMALISED, READERS, ExportedPolicy, GreedyNetwork, greedy_network, physical_state
from agents.policies.loading import policy_file
from envs import SplitVectorEnv, checks
from envs.checks import Natural
from envs.command_line import command, plain
from envs.transceiver import ACCEPTANCE_RULES

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


def compare_decisions(
    agent: Any, exported: ExportedPolicy, network: GreedyNetwork, states: NDArray[np.float64]
) -> Agreement:
    """Compare on physical states, float64 [N, O].

    Args:
        agent: stable-baselines3's, the reference: `predict`.
        exported: what was read from the file.
        network: the plain arrays, for values of the decisions that differ, in float64.
        states: in physical units.
    """
    batches = [states[start : start + BATCH] for start in range(0, len(states), BATCH)]
    own = np.concatenate([agent.predict(network.normalised(batch), deterministic=True)[0] for batch in batches])
    other = np.concatenate([exported.decide(batch) for batch in batches])
    rows = np.flatnonzero(own != other)
    values = network.values(network.normalised(states[rows]).astype(np.float64))
    each = np.arange(len(rows))
    gaps = np.abs(values[each, own[rows]] - values[each, other[rows]])
    rounding = 4 * np.spacing(np.float32(np.abs(values).max(initial=0.0)))
    return Agreement(len(states), len(rows), float(gaps.max(initial=0.0)), float(rounding))


@dataclass(frozen=True)
class ExportSettings:
    """`configs/export.yaml`.

    Attributes:
        policy: `root_similarity`, `root_alignment`, a run's folder, or the zip of a trained agent.
        format: the file's suffix, one of `READERS`.
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
        checks.choice("format", self.format, [suffix[1:] for suffix in READERS])
        path = Path(self.output)
        if path.suffix != f".{self.format}":
            raise ValueError(f"output of format {self.format} must end in .{self.format}, got {path}")
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

    policy, output = (
        TrainedPolicy.load(policy_file(settings.policy, ACCEPTANCE_RULES["similarity"])),
        Path(settings.output),
    )
    if policy.is_normalised:
        raise ValueError(f"policy {settings.policy!r} {NORMALISED}")
    agent = policy.agent
    plans = SplitVectorEnv(1, plans=settings.plans).model.plan_names
    check_plan_names(settings.policy, getattr(agent, "plan_names", None), plans)
    network = greedy_network(agent, plans)
    network.save(output)
    print(f"wrote {output}: {', '.join(network.names)} (physical units) -> one of {len(plans)} plans")
    if settings.check_states:
        states = random_states(settings.check_states)
        print(compare_decisions(agent, READERS[output.suffix](output), network, states))
