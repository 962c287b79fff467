"""How often an exported policy decides as the agent that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.deployment.network import GreedyNetwork

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
