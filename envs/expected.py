"""Rewards of all actions at once: expected given an observation, and realised given the draws as well."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.costs import CostTable, LinkState, Prices
from envs.observation import ObservationScale
from envs.quality import ProfileQuality
from envs.rewards import Delivered, Reward, has_failed
from envs.scenario import RequestState, ScenarioParams
from envs.units import FloatArray

CHUNK_VALUES = 2**18
"""Profile values that are worked on at a time, to stay in the processor's cache."""


def expected_rewards(
    obs: ArrayLike,
    costs: CostTable,
    quality: ProfileQuality,
    reward: Reward,
    scenario: ScenarioParams,
    deadline_s: float,
) -> NDArray[np.float64]:
    """Return the exact mean reward of every action given the observation, over requests and channel draws.

    The observation holds all that prices a plan, what waits before it and what makes it impossible, in every
    scenario; not so a mean over a window, which is taken here for what it is not: see `expected_rewards_in`.

    Args:
        obs: float [..., 7 + k], observations of the scenario, instantaneous ones.
        costs: prices of the P plans.
        quality: measured quality of the same plans.
        reward: what a request earns.
        scenario: whose parameters hold.
        deadline_s: latencies above it are failures.

    Returns:
        float64 [..., P], or [..., P, M] for a vector of M objectives.

    Raises:
        ValueError: the last axis of `obs` does not hold 7 + k values.
    """
    state = ObservationScale(scenario.FEATURES).to_state(obs)
    shape = state["snr_db"].shape
    state = {name: values.reshape(-1) for name, values in state.items()}
    features = {name: state[name] for name in scenario.FEATURES}
    link, low_s = costs.link_shown(state), state["latency_low_s"]
    means = expected_rewards_in(link, low_s, features, costs, quality, reward, scenario, deadline_s)
    return means.reshape(*shape, *means.shape[1:])


def expected_rewards_in(
    link: LinkState,
    latency_low_s: FloatArray,
    features: Mapping[str, FloatArray],
    costs: CostTable,
    quality: ProfileQuality,
    reward: Reward,
    scenario: ScenarioParams,
    deadline_s: float,
) -> NDArray[np.float64]:
    """Return the exact mean reward of every action in N states, over requests and channel draws.

    The request is uniform over those of the profile, and attempts take its channel draws in random order, none
    twice; so attempt j is the first acceptable one with the chance of a negative hypergeometric distribution. Each
    such outcome has its latency and energy, and its mean image quality: rewards are linear in the latter, so the
    reward of the mean is the mean reward. The reward of this request is meant: what a decision does to those that
    follow, in scenarios where it does, is not in it.

    Source: own derivation.

    Args:
        link: N states of links and devices.
        latency_low_s: [N].
        features: name -> [N], what the scenario shows besides.
        costs, quality, reward, scenario, deadline_s: as of `expected_rewards`.

    Returns:
        float64 [N, P], or [N, P, M] for a vector of M objectives.
    """
    prices, waiting_s, possible = _scenario_terms(scenario, features, costs.price(link))
    attempts = np.arange(1, quality.max_attempts + 1)
    means = np.empty((len(latency_low_s), len(costs.plans), *np.shape(reward.low)))
    step = max(1, CHUNK_VALUES // (quality.num_plans * quality.num_requests * quality.num_draws))
    once_s, repeat_s, once_j, repeat_j = prices.once_s.total, prices.repeat_s.total, prices.once_j, prices.repeat_j
    if waiting_s is not None:
        once_s = once_s + waiting_s
    for start in range(0, len(means), step):
        rows = slice(start, start + step)
        low_s = latency_low_s[rows, None, None]
        latency_s = once_s[rows, :, None] + attempts * repeat_s[rows, :, None]
        energy_j = once_j[rows, :, None] + attempts * repeat_j[rows, :, None]
        chances, images = quality.acceptance(link.snr_db[rows], reward.metrics)  # type: ignore[index]
        if possible is not None:
            chances = chances * possible[rows, :, None]
        failed = has_failed(latency_s, np.array(True), deadline_s)
        accepted = Delivered(latency_s, energy_j, images, failed, low_s, low_s * scenario.latency_high_ratio)
        means[rows] = np.einsum("npk,npk...->np...", chances, reward.total(reward.terms(accepted)))
        means[rows] += _weighted(1.0 - chances.sum(axis=-1), reward.total(reward.terms(_all_refused(accepted))))
    return means


def realised_rewards(
    state: RequestState,
    costs: CostTable,
    quality: ProfileQuality,
    reward: Reward,
    scenario: ScenarioParams,
    deadline_s: float,
) -> NDArray[np.float64]:
    """Return the reward that every action would get for the requests and channel draws of a state.

    Args:
        state: N requests.
        costs, quality, reward, scenario, deadline_s: as of `expected_rewards`.

    Returns:
        float64 [N, P] (or [N, P, M] for a vector of M objectives), bit for bit what a step with that action returns.
    """
    served = quality.serve_all(state, reward.metrics)
    prices, waiting_s, possible = _scenario_terms(scenario, state.features, costs.price(state.link))
    if possible is not None:
        served = served.only(possible)
    latency_s, energy_j = prices.latency_s(served.attempts), prices.energy_j(served.attempts)
    if waiting_s is not None:
        latency_s += waiting_s
    failed = has_failed(latency_s, served.accepted, deadline_s)
    low_s, high_s = state.latency_low_s[:, None], state.latency_high_s[:, None]
    return reward.total(reward.terms(Delivered(latency_s, energy_j, served.quality, failed, low_s, high_s)))


def _scenario_terms(
    scenario: ScenarioParams, features: Mapping[str, FloatArray], prices: Prices
) -> tuple[Prices, FloatArray | None, NDArray[np.bool_] | None]:
    """Prices of what is possible, the waiting time of every plan, and which are possible, [N, P] or None."""
    columns = {name: values[:, None] for name, values in features.items()}
    waiting_s, possible = scenario.waiting_s(columns, prices), scenario.possible(columns, prices)
    if possible is None:
        return prices, waiting_s, None
    return prices.only(possible), None if waiting_s is None else waiting_s * possible, possible


def _all_refused(accepted: Delivered) -> Delivered:
    """The outcome in which the last attempt was not acceptable either, [N, P] of [N, P, K]."""
    latency_s = accepted.latency_s[..., -1]
    return Delivered(
        latency_s,
        accepted.energy_j[..., -1],
        {metric: np.zeros_like(values[..., -1]) for metric, values in accepted.quality.items()},
        np.ones(latency_s.shape, dtype=np.bool_),
        accepted.latency_low_s[..., -1],
        accepted.latency_high_s[..., -1],
    )


def _weighted(chance: NDArray[np.float64], rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rewards [N, P] or [N, P, M] times their chance [N, P]."""
    return rewards * chance.reshape(*chance.shape, *(1,) * (rewards.ndim - chance.ndim))
