"""Rewards of all actions at once: expected given an observation, and realised given the draws as well."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.costs import CostTable, LinkState
from envs.observation import OBSERVATION_NAMES, observation_to_state
from envs.quality import ProfileQuality
from envs.reward import request_reward
from envs.scenario import RequestState

CHUNK_VALUES = 2**18
"""Profile values that are worked on at a time, to stay in the processor's cache."""


def expected_rewards(
    obs: ArrayLike, costs: CostTable, quality: ProfileQuality, latency_high_ratio: float, deadline_s: float
) -> NDArray[np.float64]:
    """Return the exact mean reward of every action given the observation, over requests and channel draws.

    The observation holds all that prices a plan. The request is uniform over those of the profile, and attempts
    take its channel draws in random order, none twice; so attempt j is the first acceptable one with the chance
    of a negative hypergeometric distribution. Each such outcome has its latency, and its reward.

    Source: own derivation.

    Args:
        obs: float [..., 7], observations.
        costs: prices of the P plans.
        quality: measured quality of the same plans.
        latency_high_ratio: of the scenario.
        deadline_s: latencies above it are failures.

    Returns:
        float64 [..., P].

    Raises:
        ValueError: the last axis of `obs` does not hold seven values.
    """
    state = observation_to_state(obs)
    shape = state["snr_db"].shape
    state = {name: state[name].reshape(-1) for name in OBSERVATION_NAMES}
    link = _link_state(state, costs)
    prices = costs.price(link)
    attempts = np.arange(1, quality.max_attempts + 1)
    rewards = np.empty((state["snr_db"].size, len(costs.plans)))
    step = max(1, CHUNK_VALUES // (quality.num_plans * quality.num_requests * quality.num_draws))
    once_s, repeat_s = prices.once_s.total, prices.repeat_s.total
    for start in range(0, len(rewards), step):
        rows = slice(start, start + step)
        low_s = state["latency_low_s"][rows, None, None]
        latency_s = once_s[rows, :, None] + attempts * repeat_s[rows, :, None]
        reward, _ = request_reward(latency_s, np.array(True), low_s, low_s * latency_high_ratio, deadline_s)
        chances = quality.acceptance_chances(state["snr_db"][rows])
        rewards[rows] = np.einsum("npk,npk->np", chances, reward)
    return rewards.reshape(*shape, -1)


def realised_rewards(
    state: RequestState, costs: CostTable, quality: ProfileQuality, deadline_s: float
) -> NDArray[np.float64]:
    """Return the reward that every action would get for the requests and channel draws of a state.

    Args:
        state: N requests.
        costs: prices of the P plans.
        quality: measured quality of the same plans.
        deadline_s: latencies above it are failures.

    Returns:
        float64 [N, P], bit for bit what a step with that action returns.
    """
    attempts, accepted = quality.attempts_of_all(state)
    latency_s = costs.price(state.link).latency_s(attempts)
    return request_reward(latency_s, accepted, state.latency_low_s[:, None], state.latency_high_s[:, None], deadline_s)[
        0
    ]


def _link_state(state: dict[str, NDArray[np.float64]], costs: CostTable) -> LinkState:
    return LinkState(
        snr_db=state["snr_db"],
        bandwidth_hz=state["bandwidth_hz"],
        tx_availability=state["tx_capability_hz"] / costs.tx.clock_hz,
        rx_availability=state["rx_capability_hz"] / costs.rx.clock_hz,
        density_factor=state["tx_density"] / costs.tx.density_cycles_per_bit,
    )
