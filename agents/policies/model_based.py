"""Policies that know the environment's model: bounds for a learner, and simple rules it must beat."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.policies.base import Actions, FixedPolicy, Observations, Policy
from envs import OBSERVATION_BOUNDS, OBSERVATION_NAMES, observation_to_state

SAMPLE_SIZE = 4096


class Oracle(Policy):
    """`argmax_a E[reward | observation, a]`, over requests and channel draws: the myopic optimum.

    The observation holds all that the reward of its request depends on. Where actions do not move the state (all
    scenarios but `queue` and `battery`), the largest immediate reward is the best action; a hidden state of the
    scenario changes nothing of that, since it tells only of later requests. Where they do, it is myopic.

    Args:
        model: the environment's `model`, whose observations are instantaneous.

    Raises:
        ValueError: the reward is a vector.
    """

    def __init__(self, model: Any) -> None:
        check_one_reward(model)
        self.model = model

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals."""
        return self.model.expected_rewards(observations).argmax(axis=1)


class _Insider(Policy):
    """The best action by what the environment itself knows of its present requests.

    It looks into the environment, so it must be asked about the environment's present observations.

    Args:
        env: the unwrapped environment, single or vectorised.

    Raises:
        ValueError: the reward is a vector.
    """

    NAME: ClassVar[str]

    def __init__(self, env: Any) -> None:
        check_one_reward(env.model)
        self.env = env

    def rewards(self) -> NDArray[np.float64]:
        """What the policy knows of every action, [N, P]."""
        raise NotImplementedError

    def actions(self, observations: Observations) -> Actions:
        """Best actions, int64 [N]; the first of equals.

        Raises:
            ValueError: another number of observations than environments.
        """
        return _for_each(self.rewards(), observations, self.NAME).argmax(axis=1)


class StateOracle(_Insider):
    """The oracle on the true state, for environments that show a mean over a window instead; see `_Insider`."""

    NAME = "oracle"

    def rewards(self) -> NDArray[np.float64]:
        """Expected rewards."""
        return self.env.expected_rewards()


class Clairvoyant(_Insider):
    """The best action given also the request and the channel draws to come: an upper bound; see `_Insider`."""

    NAME = "clairvoyant"

    def rewards(self) -> NDArray[np.float64]:
        """Realised rewards."""
        return self.env.realised_rewards()


class TwoSplit(Policy):
    """One action below a threshold on the edge's capability (clock x availability), another from it on.

    Args:
        low_action: action below the threshold.
        high_action: action from the threshold on.
        threshold_hz: threshold on `edge_capability_hz`.
    """

    def __init__(self, low_action: int, high_action: int, threshold_hz: float) -> None:
        self.low_action, self.high_action, self.threshold_hz = low_action, high_action, threshold_hz

    def actions(self, observations: Observations) -> Actions:
        """One of the two actions for each observation, int64 [N]."""
        return np.where(_capability_hz(observations) < self.threshold_hz, self.low_action, self.high_action)


def sample_observations(model: Any, sample_size: int, seed: int) -> Observations:
    """Instantaneous observations of first requests of the environment's scenario, float32 [sample_size, 7 + k].

    They are independent states of the stationary distribution, but for what decisions move: queues and batteries are
    as sessions start with.
    """
    scenario = model.new_scenario()
    scenario.reset(sample_size, np.random.default_rng(seed))
    return model.observe(scenario.state)


def best_fixed(model: Any, seed: int = 0) -> FixedPolicy:
    """The one action of the largest mean expected reward over sampled states."""
    check_one_reward(model)
    rewards = model.expected_rewards(sample_observations(model, SAMPLE_SIZE, seed))
    return FixedPolicy(int(rewards.mean(axis=0).argmax()))


def two_split(model: Any, seed: int = 0) -> TwoSplit:
    """The rule of the largest mean expected reward over sampled states, of all pairs of actions and all thresholds."""
    check_one_reward(model)
    observations = sample_observations(model, SAMPLE_SIZE, seed)
    return fit_two_split(_capability_hz(observations), model.expected_rewards(observations))


def fit_two_split(capability_hz: NDArray[np.float64], rewards: NDArray[np.float64]) -> TwoSplit:
    """Exhaustive search for the best two-action rule.

    Given the threshold, the best actions of the two sides do not depend on each other: with states sorted by
    capability, sums over the first n states give the best rule of every threshold at once.

    Args:
        capability_hz: [N], the edge's capability.
        rewards: [N, A], the expected reward of every action.
    """
    order = np.argsort(capability_hz, kind="stable")
    below = np.concatenate([np.zeros((1, rewards.shape[1])), rewards[order].cumsum(axis=0)])
    above = below[-1] - below
    first_above = int((below.max(axis=1) + above.max(axis=1)).argmax())
    thresholds = np.append(capability_hz[order], np.inf)
    return TwoSplit(int(below[first_above].argmax()), int(above[first_above].argmax()), float(thresholds[first_above]))


def check_one_reward(model: Any) -> None:
    """Refuse a vector of objectives, of which no action is the best.

    Raises:
        ValueError: the environment's reward is a vector.
    """
    if model.reward.is_vector:
        raise ValueError(
            f"the best action needs a reward that is one number; this environment's is a vector of "
            f"{', '.join(model.reward.names)}: weigh them, as reward=qoe does"
        )


def _for_each(rewards: NDArray[np.float64], observations: Observations, name: str) -> NDArray[np.float64]:
    if len(rewards) != len(observations):
        raise ValueError(f"{name} needs {len(rewards)} observations, one an environment; got {len(observations)}")
    return rewards


def _capability_hz(observations: Observations) -> NDArray[np.float64]:
    return observation_to_state(observations)["edge_capability_hz"]


SNR_STD_DB = 2.0
RELATIVE_STD = 0.1


class EstimatedState(Policy):
    """Acts as another policy would if the state were what was measured: SNR, capabilities and bandwidth have errors.

    Errors are Gaussian and independent from request to request: `SNR_STD_DB` on the SNR, `RELATIVE_STD` of the value
    on the capability of either device, as much on the logarithm of the bandwidth. Cycles and latency requirement come
    with the request and are exact. What is measured stays within the bounds of the observation. With an oracle inside
    this is certainty equivalence: it trusts the estimate.

    Source: own derivation.

    Args:
        inner: decides for the estimate.
        seed: of the errors.
    """

    def __init__(self, inner: Policy, seed: int = 0) -> None:
        self.inner = inner
        self._rng = np.random.default_rng(seed)

    def estimate(self, observations: Observations) -> Observations:
        """What is measured of observations [N, F]; entries beyond the seven of the request are exact."""
        errors = np.zeros((len(observations), len(OBSERVATION_NAMES)))
        for name, std in _stds(observations).items():
            column = OBSERVATION_NAMES.index(name)
            errors[:, column] = std * self._rng.standard_normal(len(observations))
        estimated = observations.astype(np.float64)
        estimated[:, : len(OBSERVATION_NAMES)] += errors
        return estimated.clip(0.0, 1.0).astype(observations.dtype)

    def actions(self, observations: Observations) -> Actions:
        """Actions of the inner policy for the estimate, int64 [N]."""
        return self.inner.actions(self.estimate(observations))


def _stds(observations: Observations) -> dict[str, float | np.ndarray]:
    """Standard deviations in the scale of the observation, see `envs.observation`."""
    low_db, high_db = OBSERVATION_BOUNDS["snr_db"]
    low_hz, high_hz = OBSERVATION_BOUNDS["bandwidth_hz"]  # scaled logarithmically
    stds: dict[str, float | np.ndarray] = {
        "snr_db": SNR_STD_DB / (high_db - low_db),
        "bandwidth_hz": RELATIVE_STD / math.log(high_hz / low_hz),
    }
    for name in ("edge_capability_hz", "user_capability_hz"):  # scaled linearly from 0
        stds[name] = RELATIVE_STD * observations[:, OBSERVATION_NAMES.index(name)]
    return stds
