"""The decision process that both forms of the environment share, and its one pipeline from plans to rewards.

    prices of plans -> `offer`: who waits, what is possible -> `settle`: latency, energy, failure, reward

Stepping, the oracle, the clairvoyant, the planner and the bound all go through these two.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs.channels import Channel, make_channel
from envs.costs import A100, LINKS, CostTable, Link, LinkState, Parts, Prices, cost_source
from envs.observation import ObservationScale, check_observable
from envs.plans import Plan, expand
from envs.quality import ProfileQuality, QualitySource, Served
from envs.rewards import Outcome, Reward, make_reward
from envs.scenario import RequestState, Scenario, ScenarioParams, Spent, make_scenario
from envs.settings import SplitSettings
from envs.transceiver import QualityProfile
from envs.units import FloatArray

Info = dict[str, Any]
BoolArray = NDArray[np.bool_]

CHUNK_VALUES = 2**18
"""Profile values that are worked on at a time, to stay in the processor's cache."""


class Offer(NamedTuple):
    """Plans in given states, [N] of one plan each, [N, P] of all, or with further axes.

    Attributes:
        prices: of the plans that are possible; nothing for those that are not.
        waiting_s: seconds before a plan starts, float64; None: none waits.
        possible: which can be carried out; None: all.
    """

    prices: Prices
    waiting_s: FloatArray | None
    possible: BoolArray | None


class Settled(NamedTuple):
    """What attempts came to, of the shape of the offer.

    Attributes:
        parts_s: seconds by part, without waiting; None where prices are totals.
        latency_s: seconds in all.
        energy_j: joules of both devices.
        failed: no attempt was acceptable, the answer came after the deadline, or nothing was possible.
        terms: the named terms of the reward.
        reward: float64 [...], or [..., M] for a vector of M objectives.
    """

    parts_s: Parts
    latency_s: FloatArray
    energy_j: FloatArray
    failed: BoolArray
    terms: Mapping[str, FloatArray]
    reward: FloatArray


class SplitModel:
    """The decision process; holds no state.

    Args:
        settings: see `SplitSettings`.

    Attributes:
        settings: as given.
        scenario: the scenario's parameters.
        observation: scaling of the observation, with its names and bounds.
        profile: the measured quality.
        requests: those of it that are served.
        num_inference_steps: T of plans given by name.
        link: what sending does and costs.
        channel: its noise, None for the profile's.
        plans, plan_names: the actions, and what they are called.
        edge_steps: their denoising steps at the edge, int64 [P].
        cost_source: where the devices' seconds come from.
        costs: the prices of the plans.
        quality: their quality.
        reward: what a served request earns.

    Raises:
        ValueError: a setting that does not fit the profile, an unknown channel, or a device that the observation
            cannot show.
    """

    def __init__(self, settings: SplitSettings) -> None:
        profile = settings.profile
        self.settings = settings
        self.scenario: ScenarioParams = settings.scenario
        self.observation = ObservationScale(self.scenario.FEATURES)
        self.profile = profile if isinstance(profile, QualityProfile) else QualityProfile.load(profile)
        self.link: Link = LINKS[settings.link]
        self.channel: Channel | None = None if settings.channel is None else make_channel(settings.channel)
        names = "semaigc" if settings.plans is None else settings.plans
        self.num_inference_steps: int = settings.num_inference_steps or self.profile.num_inference_steps
        self.plans: tuple[Plan, ...] = expand(names, self.num_inference_steps)
        self.cost_source = cost_source(settings.costs)
        self.plan_names = tuple(plan.name for plan in self.plans)
        self.edge_steps = np.array([plan.edge_steps for plan in self.plans], dtype=np.int64)
        edge, user = settings.priced_devices(self.cost_source)
        cloud = self.cost_source.cloud(settings.cloud_device) if any(plan.uses_cloud for plan in self.plans) else A100
        self.costs = CostTable.compile(self.plans, edge, user, self.cost_source.payloads, settings.link, cloud=cloud)
        part, rule = self.profile.part(settings.requests), settings.acceptance_rule
        self.quality = ProfileQuality(
            part, self.plans, settings.receiver, rule, settings.max_attempts, self.link.is_noisy
        )
        self.requests = self.quality.requests
        self.reward: Reward = make_reward(settings.reward)
        self.payload_bits: NDArray[np.int64] = self.costs.payload_bits.astype(np.int64)
        densities = {"edge": edge.density_cycles_per_bit, "user": user.finetune_density_cycles_per_bit}
        for end, device in (("edge", edge), ("user", user)):
            factors, shares = self.scenario.density_factor, getattr(self.scenario, f"{end}_availability")
            check_observable(f"{end}_density", *(densities[end] * x for x in factors))
            check_observable(f"{end}_capability_hz", *(device.clock_hz * x for x in shares))

    def action_of(self, plan_name: str) -> int:
        """Find the action that a plan is.

        Raises:
            ValueError: the plan is not among the actions.
        """
        if plan_name not in self.plan_names:
            raise ValueError(f"plan {plan_name!r} is not in the environment's list: {', '.join(self.plan_names)}")
        return self.plan_names.index(plan_name)

    def new_scenario(self) -> Scenario:
        """Fresh processes of the scenario."""
        quality = self.quality
        return make_scenario(self.scenario, quality.num_requests, quality.num_draws, quality.max_attempts)

    def observe(self, state: RequestState) -> NDArray[np.float32]:
        """Instantaneous observations of N requests, float32 [N, 7 + k], see `envs.observation`."""
        edge, user = self.costs.edge, self.costs.user
        values = (  # in the order of `OBSERVATION_NAMES`
            state.density_factor * edge.density_cycles_per_bit,
            state.density_factor * user.finetune_density_cycles_per_bit,
            state.snr_db,
            state.edge_availability * edge.clock_hz,
            state.user_availability * user.clock_hz,
            state.bandwidth_hz,
            state.latency_low_s,
            *(state.features[name] for name in self.scenario.FEATURES),
        )
        return self.observation.to_observation(values)

    def offer(self, features: Mapping[str, FloatArray], prices: Prices) -> Offer:
        """What the scenario makes of prices.

        Args:
            features: what the scenario shows besides, of shapes that broadcast with those of the prices.
            prices: of one plan each [N], of all [N, P], or with further axes.
        """
        waiting_s, possible = self.scenario.waiting_s(features, prices), self.scenario.possible(features, prices)
        if possible is None:
            return Offer(prices, waiting_s, None)
        return Offer(prices.only(possible), None if waiting_s is None else waiting_s * possible, possible)

    def settle(
        self,
        offer: Offer,
        attempts: ArrayLike,
        accepted: BoolArray | bool,
        quality: Mapping[str, Any],
        latency_low_s: FloatArray,
        latency_high_s: FloatArray,
    ) -> Settled:
        """Latency, energy, failure and reward of attempts; all arguments broadcast with the offer.

        Where a plan is impossible nothing is spent, and the request fails: it earns what the worst failure does, an
        answer that never comes and takes all energy, so that no failure of an attempt earns less.

        Args:
            offer: the plans.
            attempts: attempts made.
            accepted: whether the last of them was acceptable.
            quality: metric -> value of the last attempt; those of `reward.metrics` at least.
            latency_low_s, latency_high_s: the user's latency requirement.
        """
        count = np.asarray(attempts, dtype=np.float64)
        if offer.possible is not None:
            accepted = accepted & offer.possible
            quality = {name: np.where(offer.possible, quality[name], 0.0) for name in self.reward.metrics}
        bill = offer.prices.bill(count)
        latency_s = bill.latency_s if offer.waiting_s is None else bill.latency_s + offer.waiting_s
        # SemAIGC, IV-B: beyond 60 s a task has failed.
        failed = np.asarray(~(accepted & (latency_s <= self.settings.deadline_s)))
        outcome = Outcome(latency_s, bill.energy_j, quality, failed, latency_low_s, latency_high_s)
        if offer.possible is not None:
            never = np.where(offer.possible, 0.0, np.inf)
            outcome = outcome._replace(latency_s=latency_s + never, energy_j=bill.energy_j + never)
        terms = self.reward.terms(outcome)
        return Settled(bill.parts_s, latency_s, bill.energy_j, failed, terms, self.reward.total(terms))

    def serve(
        self, plan: NDArray[np.integer], state: RequestState, source: QualitySource
    ) -> tuple[NDArray[np.float64], Info, Spent, Served]:
        """Serve, price and reward N requests: (reward [N] or [N, M], `info` as arrays [N], what was spent, delivered).

        Args:
            plan: integers [N], the plan of each.
            state: the requests, links and devices.
            source: what serves them. Where the scenario makes a plan impossible, no attempt is made.
        """
        offer = self.offer(state.features, self.costs.price(state.link, plan))
        served = source.serve(plan, state, offer.possible)
        attempts, accepted, quality = served.attempts, served.accepted, served.quality
        settled = self.settle(offer, attempts, accepted, quality, state.latency_low_s, state.latency_high_s)
        parts_s = settled.parts_s
        info: Info = {
            "latency_s": settled.latency_s,
            "latency_parts_s": parts_s.by_name(),
            "energy_j": settled.energy_j,
            "payload_bits": attempts * self.payload_bits.take(plan),
            "quality": quality,
            "attempts": attempts,
            "accepted": accepted,
            "failed": settled.failed,
            "rewards": {name: term.copy() for name, term in settled.terms.items()},
            "state": state.info,
        }
        if offer.waiting_s is not None:
            info["latency_parts_s"]["waiting"] = offer.waiting_s
        spent = Spent(parts_s.edge, parts_s.link, parts_s.user, parts_s.user * self.costs.user.power_w)
        return settled.reward, info, spent, served

    def possible(self, state: RequestState) -> BoolArray:
        """Which plans the scenario allows for N requests, bool [N, P]; all, in most scenarios."""
        everything = np.ones((len(state.request), len(self.plans)), dtype=np.bool_)
        if not self.scenario.LIMITS_PLANS:
            return everything
        possible = self.scenario.possible(_columns(state.features), self.costs.price(state.link))
        return everything if possible is None else possible

    def realised_rewards(self, state: RequestState) -> NDArray[np.float64]:
        """Reward that every action would get for the requests and channel draws of a state.

        Returns:
            float64 [N, P] (or [N, P, M] for a vector of M objectives), bit for bit what a step returns.
        """
        served = self.quality.serve_all(state, self.reward.metrics)
        offer = self.offer(_columns(state.features), self.costs.price(state.link))
        low_s, high_s = state.latency_low_s[:, None], state.latency_high_s[:, None]
        return self.settle(offer, served.attempts, served.accepted, served.quality, low_s, high_s).reward

    def expected_rewards(self, obs: ArrayLike, *, by_request: bool = False) -> NDArray[np.float64]:
        """Exact mean reward of every action given instantaneous observations, over requests and channel draws.

        The observation holds all that prices a plan, what waits before it and what makes it impossible, in every
        scenario; not so a mean over a window, which is taken here for what it is not: see `expected_rewards_in`.

        Args:
            obs: float [..., 7 + k].
            by_request: for each of the R requests, over channel draws alone.

        Returns:
            float64 [..., P], or [..., P, M] for a vector of M objectives; [R, ..., P] or [R, ..., P, M] by request.

        Raises:
            ValueError: the last axis of `obs` does not hold 7 + k values.
        """
        shown = self.observation.to_state(obs)
        shape = shown["snr_db"].shape
        shown = {name: values.reshape(-1) for name, values in shown.items()}
        features = {name: shown[name] for name in self.scenario.FEATURES}
        means = self._expected(self.costs.link_shown(shown), shown["latency_low_s"], features, by_request)
        front = int(by_request)
        return means.reshape(*means.shape[:front], *shape, *means.shape[front + 1 :])

    def expected_rewards_in(self, state: RequestState) -> NDArray[np.float64]:
        """The same given the true state of N requests, whatever is shown of it: float64 [N, P] or [N, P, M]."""
        return self._expected(state.link, state.latency_low_s, state.features)

    def mean_reward(
        self, offer: Offer, chances: FloatArray, images: Mapping[str, FloatArray], latency_low_s: FloatArray
    ) -> NDArray[np.float64]:
        """Mean reward of plans over the number of attempts that they take, which have their chances.

        Each outcome has its latency and energy, and its mean image quality: rewards are linear in the latter, so the
        reward of the mean is the mean reward. The reward of this request is meant: what a decision does to those that
        follow, in scenarios where it does, is not in it. Source: own derivation.

        Args:
            offer: of shape [..., P].
            chances: [..., P, K], of attempt 1..K being the first acceptable one; or with more axes in front.
            images: metric -> mean over the images of each outcome, of the same shape.
            latency_low_s: of the requests, of a shape that broadcasts with [..., P].
        """
        high_s = latency_low_s * self.scenario.latency_high_ratio
        if offer.possible is not None:
            chances = chances * offer.possible[..., None]
        num_attempts = chances.shape[-1]
        each = Offer(
            offer.prices.mapped(_with_axis),
            None if offer.waiting_s is None else _with_axis(offer.waiting_s),
            None if offer.possible is None else offer.possible[..., None],
        )
        accepted = self.settle(
            each, np.arange(1, num_attempts + 1), True, images, latency_low_s[..., None], high_s[..., None]
        )
        refused = self.settle(
            offer, num_attempts, False, dict.fromkeys(self.reward.metrics, np.zeros(())), latency_low_s, high_s
        )
        chance_refused = 1.0 - chances.sum(axis=-1)
        more_axes = int(self.reward.is_vector)
        means = np.einsum(f"...k,...k{'m' * more_axes}->...{'m' * more_axes}", chances, accepted.reward)
        means = means + refused.reward * chance_refused.reshape(*chance_refused.shape, *(1,) * more_axes)
        return np.asarray(means)

    def _expected(
        self, link: LinkState, latency_low_s: FloatArray, features: Mapping[str, FloatArray], by_request: bool = False
    ) -> NDArray[np.float64]:
        """Mean rewards in N states, chunk by chunk.

        The request is uniform over those of the profile, and attempts take its channel draws in random order, none
        twice; so attempt j is the first acceptable one with the chance of a negative hypergeometric distribution.
        """
        quality = self.quality
        offer = self.offer(_columns(features), self.costs.price(link))
        totals = offer.prices.totals(offer.waiting_s)
        front = (quality.num_requests,) if by_request else ()
        means = np.empty((*front, len(latency_low_s), len(self.plans), *np.shape(self.reward.low)))
        step = max(1, CHUNK_VALUES // (quality.num_plans * quality.num_requests * quality.num_draws))
        for start in range(0, len(latency_low_s), step):
            rows = slice(start, start + step)
            some = link.snr_db[rows]  # type: ignore[index]
            chances, images = quality.acceptance(some, self.reward.metrics, by_request=by_request)
            possible = None if offer.possible is None else offer.possible[rows]
            part = Offer(totals.mapped(itemgetter(rows)), None, possible)  # type: ignore[arg-type]  # as prices are
            found = self.mean_reward(part, chances, images, latency_low_s[rows, None])
            means[(slice(None), rows) if by_request else rows] = found
        return means


def _with_axis(values: FloatArray) -> FloatArray:
    return values[..., None]


def _columns(features: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name: values[:, None] for name, values in features.items()}
