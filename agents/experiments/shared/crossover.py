"""Where the order of the frameworks turns over bandwidth, and by how much one leads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs import SplitSettings, SplitVectorEnv, plans
from envs.transceiver import TEST
from envs.units import FloatArray

BANDWIDTHS_HZ = np.geomspace(1e5, 1e8, 31)
NUM_STATES = 256


class FrameworkSatisfaction(NamedTuple):
    """Mean expected satisfaction at each bandwidth, float64 [W]."""

    semaigc: FloatArray
    non_root: FloatArray
    edge: FloatArray


def expected_satisfaction(
    snr_db: float,
    bandwidths_hz: Sequence[float] | FloatArray,
    link: str,
    num_states: int = NUM_STATES,
    settings: SplitSettings | None = None,
) -> FrameworkSatisfaction:
    """Expected satisfaction of SemAIGC at its best split, of Non-ROOT and of Edge AIGC, over the scenario `paper`.

    The best split is the exact optimum given the observation on the environment's own requests. All but SNR and
    bandwidth varies as in the scenario; the same states are taken at every bandwidth.

    Args:
        snr_db: of the link.
        bandwidths_hz: within the bounds of the observation.
        link: what sending does and costs, see `envs.costs.formulas`.
        num_states: drawn states that the mean is over.
        settings: of the environment besides; None: the defaults, and the test requests of the profile.
    """
    frameworks, settings = ["semaigc", "edge_aigc"], settings or SplitSettings(requests=TEST)
    model = SplitVectorEnv(
        1, settings, scenario={"snr_db": snr_db}, plans=frameworks, link=link, fidelity="profile"
    ).model
    scenario = model.new_scenario()
    scenario.reset(num_states, np.random.default_rng(0))
    edge, non_root = model.action_of("edge_aigc"), model.action_of(plans.non_root().name)
    rows = []
    for bandwidth_hz in bandwidths_hz:
        state = scenario.state._replace(bandwidth_hz=np.full(num_states, bandwidth_hz))
        rewards = model.expected_rewards(model.observe(state))
        best = np.delete(rewards, edge, axis=1).max(axis=1)
        rows.append((best.mean(), rewards[:, non_root].mean(), rewards[:, edge].mean()))
    return FrameworkSatisfaction(*np.array(rows).T)


def first_crossing(x: NDArray[np.float64], ahead: FloatArray, behind: FloatArray) -> float:
    """Where `behind` first overtakes `ahead` along increasing x, linear in log x; infinite if it never does."""
    gap = ahead - behind
    turned = np.flatnonzero((gap[:-1] > 0) & (gap[1:] <= 0))
    if not len(turned):
        return math.inf if gap[0] > 0 else float(x[0])
    low = turned[0]
    share = gap[low] / (gap[low] - gap[low + 1])
    return float(x[low] * (x[low + 1] / x[low]) ** share)
