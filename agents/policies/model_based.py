"""Policies that know a model of the environment: opponents, bounds for a learner, and one that measures with errors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.policies.base import Actions, Observations, Policy
from envs import OBSERVATION_BOUNDS, OBSERVATION_NAMES, SplitVectorEnv
from envs.transceiver import TRAIN

SNR_STD_DB = 2.0
RELATIVE_STD = 0.1


def fitted(model: Any) -> Any:
    """The model that policies are fitted on: of the profile's training requests, whatever the environment serves.

    Args:
        model: an environment's; it is returned itself where it serves the training requests.

    Raises:
        ValueError: the profile has no training requests.
    """
    settings = model.settings
    if settings.requests == TRAIN:
        return model
    # Nothing is served by it: neither fidelity nor channel matters.
    settings = replace(settings, profile=model.profile, requests=TRAIN, channel=None, fidelity="profile")
    return SplitVectorEnv(1, settings).model


class Oracle(Policy):
    """`argmax_a E[reward | observation, a]`, over requests and channel draws: the myopic optimum of a model.

    By the environment's own model it is a bound, by that of other requests (`fitted`) an opponent: then it knows no
    more of a request than who has learnt.

    The observation holds all that the reward of its request depends on. Where actions do not move the state (all
    scenarios but `queue` and `battery`), the largest immediate reward is the best action; a hidden state of the
    scenario changes nothing of that, since it bears only on later requests. Where they do, it is myopic.

    Args:
        model: of an environment whose observations are instantaneous.

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
        rewards = self.rewards()
        if len(rewards) != len(observations):
            raise ValueError(
                f"{self.NAME} needs {len(rewards)} observations, one an environment; got {len(observations)}"
            )
        return rewards.argmax(axis=1)


class StateOracle(_Insider):
    """The oracle on the true state, for environments that show a mean over a window instead; see `_Insider`.

    Args:
        env: see `_Insider`.
        model: whose expected rewards decide, as of `Oracle`.
    """

    NAME = "oracle"

    def __init__(self, env: Any, model: Any) -> None:
        super().__init__(env)
        self.model = model

    def rewards(self) -> NDArray[np.float64]:
        """Expected rewards."""
        return self.model.expected_rewards_in(self.env.core.state)


class Clairvoyant(_Insider):
    """The best action given also the request and the channel draws to come: an upper bound; see `_Insider`."""

    NAME = "clairvoyant"

    def rewards(self) -> NDArray[np.float64]:
        """Realised rewards."""
        return self.env.realised_rewards()


def sample_observations(model: Any, sample_size: int, seed: int) -> Observations:
    """Instantaneous observations of first requests of the environment's scenario, float32 [sample_size, 7 + k].

    They are independent states of the stationary distribution, but for what decisions move: queues and batteries are
    as sessions start with.
    """
    scenario = model.new_scenario()
    scenario.reset(sample_size, np.random.default_rng(seed))
    return model.observe(scenario.state)


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
        self.inner, self.seed = inner, seed
        self._rng = np.random.default_rng(seed)

    def fresh(self) -> EstimatedState:
        """The same from its first error on."""
        return EstimatedState(self.inner.fresh(), self.seed)

    def estimate(self, observations: Observations) -> Observations:
        """What is measured of observations [N, F]; entries beyond the seven of the request are exact."""
        estimated = observations.astype(np.float64)
        for name, std in _stds(observations).items():
            estimated[:, OBSERVATION_NAMES.index(name)] += std * self._rng.standard_normal(len(observations))
        return estimated.clip(0.0, 1.0).astype(observations.dtype)

    def actions(self, observations: Observations) -> Actions:
        """Actions of the inner policy for the estimate, int64 [N]."""
        return self.inner.actions(self.estimate(observations))


def _stds(observations: Observations) -> dict[str, float | np.ndarray]:
    """Standard deviations in the scale of the observation, see `envs.observation`."""
    low_db, high_db = OBSERVATION_BOUNDS["snr_db"]
    low_hz, high_hz = OBSERVATION_BOUNDS["bandwidth_hz"]  # scaled logarithmically
    edge, user = (OBSERVATION_NAMES.index(f"{end}_capability_hz") for end in ("edge", "user"))  # linearly from 0
    return {
        "snr_db": SNR_STD_DB / (high_db - low_db),
        "bandwidth_hz": RELATIVE_STD / math.log(high_hz / low_hz),
        "edge_capability_hz": RELATIVE_STD * observations[:, edge],
        "user_capability_hz": RELATIVE_STD * observations[:, user],
    }
