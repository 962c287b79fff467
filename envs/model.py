"""Settings of the environment, and the model of it that planners may ask for expected and realised rewards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from envs import expected
from envs.channels import Channel, ChannelChoice, make_channel
from envs.costs import GTX_1080_TI, RTX_A6000, CostSource, CostTable, Device, Stated, cost_source
from envs.observation import ObservationScale, check_observable
from envs.observation_window import ObservationWindow
from envs.plans import Plan, expand
from envs.quality import ProfileQuality
from envs.rewards import Reward, RewardChoice, make_reward
from envs.scenario import RequestState, Scenario, ScenarioParams, make_scenario, resolve_scenario
from envs.transceiver.profile import QualityProfile


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """What an environment can be made with.

    Attributes:
        scenario: a name, parameters, or a mapping: its key `name` chooses the scenario (`paper` if it is missing),
            the others are what differs from its defaults.
        plans: the actions, as `envs.plans.expand` takes them; None is `["semaigc"]`, the splits 0..T.
        receiver: receiver of the profile.
        profile: a profile, a file of one, or None for the one that is shipped.
        quality_metric: metric that decides on acceptance.
        quality_min: values of it from here on are acceptable.
        max_attempts: attempts before a request fails.
        deadline_s: a request that takes longer fails.
        episode_length: requests of a session.
        observation_window: requests that the observation is averaged over; 1 shows the next one as it is.
        reward: `satisfaction`, `qoe`, `vector`; or a mapping of `name` and weights (`envs.rewards`).
        channel: the link that latents cross: a name, or a mapping of `name` and parameters; None is the one that
            the profile was measured over.
        rate: how the link is priced: `shannon`, or `coded` for what a coded link carries (`envs.costs.rates`).
        edge_device, user_device: the devices at either end.
        costs: where their seconds come from: `paper` (as the devices state them), `flops`, or a source of
            `envs.costs.sources`, such as what `envs.transceiver.timed_costs` measured.

    Raises:
        ValueError: a value out of its bounds.
    """

    scenario: str | ScenarioParams | Mapping[str, Any] = "paper"
    plans: str | Plan | Sequence[str | Plan] | None = None
    receiver: str = "finetuned"
    profile: QualityProfile | str | Path | None = None
    quality_metric: str = "alignment"
    quality_min: float = 0.9
    max_attempts: int = 3
    deadline_s: float = 60.0
    episode_length: int = 20
    observation_window: int = 1
    reward: RewardChoice = "satisfaction"
    channel: ChannelChoice | None = None
    rate: str = "shannon"
    edge_device: Device = RTX_A6000
    user_device: Device = GTX_1080_TI
    costs: str | CostSource = "paper"

    def __post_init__(self) -> None:
        for name in ("max_attempts", "episode_length", "observation_window"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name} must be an integer >= 1, got {value!r}")
        for name in ("quality_min", "deadline_s"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number, got {value!r}")
        if self.deadline_s <= 0.0:
            raise ValueError(f"deadline_s must be > 0, got {self.deadline_s}")
        for name in ("edge_device", "user_device"):
            if not isinstance(getattr(self, name), Device):
                raise ValueError(f"{name} must be an envs.costs.Device, got {getattr(self, name)!r}")
        cost_source(self.costs)
        make_reward(self.reward)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> SplitSettings:
        """Make settings from keywords.

        Raises:
            ValueError: an unknown keyword, or a value out of its bounds.
        """
        allowed = [field.name for field in fields(cls)]
        if unknown := [key for key in settings if key not in allowed]:
            raise ValueError(f"unknown environment settings {', '.join(unknown)}; allowed: {', '.join(allowed)}")
        return cls(**settings)


class SplitModel:
    """The decision process that both forms of the environment share; holds no state.

    Args:
        settings: see `SplitSettings`.

    Attributes:
        settings: as given.
        scenario: the scenario's parameters.
        observation: scaling of the observation, with its names and bounds.
        profile: the measured quality, whose requests are served.
        channel: the link, None for the profile's.
        plans: the actions.
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
        self.scenario = resolve_scenario(settings.scenario)
        self.observation = ObservationScale(self.scenario.FEATURES)
        self.profile = profile if isinstance(profile, QualityProfile) else QualityProfile.load(profile)
        self.channel: Channel | None = None if settings.channel is None else make_channel(settings.channel)
        names = "semaigc" if settings.plans is None else settings.plans
        self.plans: tuple[Plan, ...] = expand(names, self.profile.num_inference_steps)
        self.cost_source = cost_source(settings.costs)
        edge, user = _priced_devices(self.cost_source, settings)
        self.costs = CostTable.compile(self.plans, edge, user, self.cost_source.payloads, settings.rate)
        self.quality = ProfileQuality(
            self.profile,
            self.plans,
            settings.receiver,
            settings.quality_metric,
            settings.quality_min,
            settings.max_attempts,
        )
        self.reward: Reward = make_reward(settings.reward)
        self.payload_bits: NDArray[np.int64] = self.costs.payload_bits.astype(np.int64)
        densities = {"edge": edge.density_cycles_per_bit, "user": user.finetune_density_cycles_per_bit}
        for side, device in (("edge", edge), ("user", user)):
            factors, shares = self.scenario.density_factor, getattr(self.scenario, f"{side}_availability")
            check_observable(f"{side}_density", *(densities[side] * x for x in factors))
            check_observable(f"{side}_capability_hz", *(device.clock_hz * x for x in shares))

    @property
    def plan_names(self) -> tuple[str, ...]:
        """Names of the actions."""
        return tuple(plan.name for plan in self.plans)

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

    def new_window(self) -> ObservationWindow:
        """A fresh window that observations are averaged over."""
        return ObservationWindow(self.settings.observation_window)

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

    def possible(self, state: RequestState) -> NDArray[np.bool_]:
        """Which plans the scenario allows for N requests, bool [N, P]; all, in most scenarios."""
        features = {name: values[:, None] for name, values in state.features.items()}
        if self.scenario.LIMITS_PLANS:
            possible = self.scenario.possible(features, self.costs.price(state.link))
            if possible is not None:
                return possible
        return np.ones((len(state.request), len(self.plans)), dtype=np.bool_)

    def expected_rewards(self, obs: ArrayLike) -> NDArray[np.float64]:
        """Exact mean reward of every action given instantaneous observations [..., 7 + k]: float64 [..., P].

        Those of the environment are instantaneous unless it averages them over a window; see `envs.expected`. With a
        vector of M objectives: [..., P, M].
        """
        return expected.expected_rewards(
            obs, self.costs, self.quality, self.reward, self.scenario, self.settings.deadline_s
        )

    def expected_rewards_in(self, state: RequestState) -> NDArray[np.float64]:
        """The same given the true state of N requests, whatever is shown of it: float64 [N, P] or [N, P, M]."""
        return expected.expected_rewards_in(
            state.link,
            state.latency_low_s,
            state.features,
            self.costs,
            self.quality,
            self.reward,
            self.scenario,
            self.settings.deadline_s,
        )

    def realised_rewards(self, state: RequestState) -> NDArray[np.float64]:
        """Reward of every action for N drawn requests: float64 [N, P], or [N, P, M]; see `envs.expected`."""
        return expected.realised_rewards(
            state, self.costs, self.quality, self.reward, self.scenario, self.settings.deadline_s
        )


def _priced_devices(source: CostSource, settings: SplitSettings) -> tuple[Device, Device]:
    edge, user = settings.edge_device, settings.user_device
    if isinstance(source, Stated):
        return edge, user
    from envs.transceiver.receivers import receiver_step  # torch, only where the receiver's step has its own price

    return source.devices(edge, user, receiver_step(settings.receiver))
