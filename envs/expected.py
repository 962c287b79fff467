"""Rewards of all actions at once: expected given an observation, and realised given the draws as well."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.costs import CostTable, LinkState, Prices
from envs.observation import ObservationScale
from envs.quality import ProfileQuality
from envs.reward import request_reward
from envs.scenario import RequestState, ScenarioParams
from envs.units import FloatArray

CHUNK_VALUES = 2**18
"""Profile values that are worked on at a time, to stay in the processor's cache."""


def expected_rewards(
    obs: ArrayLike, costs: CostTable, quality: ProfileQuality, scenario: ScenarioParams, deadline_s: float
) -> NDArray[np.float64]:
    """Return the exact mean reward of every action given the observation, over requests and channel draws.

    The observation holds all that prices a plan, what waits before it and what makes it impossible, in every
    scenario; not so a mean over a window, which is taken here for what it is not: see `expected_rewards_in`.

    Args:
        obs: float [..., 7 + k], observations of the scenario, instantaneous ones.
        costs: prices of the P plans.
        quality: measured quality of the same plans.
        scenario: whose parameters hold.
        deadline_s: latencies above it are failures.

    Returns:
        float64 [..., P].

    Raises:
        ValueError: the last axis of `obs` does not hold 7 + k values.
    """
    state = ObservationScale(scenario.FEATURES).to_state(obs)
    shape = state["snr_db"].shape
    state = {name: values.reshape(-1) for name, values in state.items()}
    features = {name: state[name] for name in scenario.FEATURES}
    link, low_s = _link_state(state, costs), state["latency_low_s"]
    return expected_rewards_in(link, low_s, features, costs, quality, scenario, deadline_s).reshape(*shape, -1)


def expected_rewards_in(
    link: LinkState,
    latency_low_s: FloatArray,
    features: Mapping[str, FloatArray],
    costs: CostTable,
    quality: ProfileQuality,
    scenario: ScenarioParams,
    deadline_s: float,
) -> NDArray[np.float64]:
    """Return the exact mean reward of every action in N states, over requests and channel draws.

    The request is uniform over those of the profile, and attempts take its channel draws in random order, none
    twice; so attempt j is the first acceptable one with the chance of a negative hypergeometric distribution. Each
    such outcome has its latency, and its reward. The reward of this request is meant: what a decision does to those
    that follow, in scenarios where it does, is not in it.

    Source: own derivation.

    Args:
        link: N states of links and devices.
        latency_low_s: [N].
        features: name -> [N], what the scenario shows besides.
        costs, quality, scenario, deadline_s: as of `expected_rewards`.

    Returns:
        float64 [N, P].
    """
    prices = costs.price(link)
    waiting_s, possible = _scenario_terms(scenario, features, prices)
    attempts = np.arange(1, quality.max_attempts + 1)
    rewards = np.empty((len(latency_low_s), len(costs.plans)))
    step = max(1, CHUNK_VALUES // (quality.num_plans * quality.num_requests * quality.num_draws))
    once_s, repeat_s = prices.once_s.total, prices.repeat_s.total
    if waiting_s is not None:
        once_s = once_s + waiting_s
    for start in range(0, len(rewards), step):
        rows = slice(start, start + step)
        low_s = latency_low_s[rows, None, None]
        latency_s = once_s[rows, :, None] + attempts * repeat_s[rows, :, None]
        reward, _ = request_reward(latency_s, np.array(True), low_s, low_s * scenario.latency_high_ratio, deadline_s)
        chances = quality.acceptance_chances(link.snr_db[rows])  # type: ignore[index]
        rewards[rows] = np.einsum("npk,npk->np", chances, reward)
    return rewards if possible is None else rewards * possible


def realised_rewards(
    state: RequestState, costs: CostTable, quality: ProfileQuality, scenario: ScenarioParams, deadline_s: float
) -> NDArray[np.float64]:
    """Return the reward that every action would get for the requests and channel draws of a state.

    Args:
        state: N requests.
        costs, quality, scenario, deadline_s: as of `expected_rewards`.

    Returns:
        float64 [N, P], bit for bit what a step with that action returns.
    """
    attempts, accepted = quality.attempts_of_all(state)
    prices = costs.price(state.link)
    waiting_s, possible = _scenario_terms(scenario, state.features, prices)
    latency_s = prices.latency_s(attempts)
    if waiting_s is not None:
        latency_s += waiting_s
    if possible is not None:
        accepted &= possible
    low_s, high_s = state.latency_low_s[:, None], state.latency_high_s[:, None]
    return request_reward(latency_s, accepted, low_s, high_s, deadline_s)[0]


def _scenario_terms(
    scenario: ScenarioParams, features: Mapping[str, FloatArray], prices: Prices
) -> tuple[FloatArray | None, NDArray[np.bool_] | None]:
    """Waiting time and possibility of every plan, [N, P] or None."""
    columns = {name: values[:, None] for name, values in features.items()}
    return scenario.waiting_s(columns, prices), scenario.possible(columns, prices)


def _link_state(state: dict[str, NDArray[np.float64]], costs: CostTable) -> LinkState:
    return LinkState(
        snr_db=state["snr_db"],
        bandwidth_hz=state["bandwidth_hz"],
        tx_availability=state["tx_capability_hz"] / costs.tx.clock_hz,
        rx_availability=state["rx_capability_hz"] / costs.rx.clock_hz,
        density_factor=state["tx_density"] / costs.tx.density_cycles_per_bit,
    )
