"""What an environment can be made with: parsed and checked once, at the door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from envs import checks
from envs.channels import ChannelChoice
from envs.costs import A100, GTX_1080_TI, LINKS, RTX_A6000, CostSource, Device, Stated, cost_source, make_device
from envs.plans import Plan
from envs.rewards import RewardChoice, make_reward
from envs.scenario import resolve_scenario
from envs.transceiver.profile.acceptance import Acceptance, AcceptanceChoice, acceptance_rule
from envs.transceiver.profile.profile import ALL, PARTS, TRAIN

FIDELITIES = ("profile", "live")


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """What an environment can be made with.

    Attributes:
        scenario: a name, parameters, or a mapping: its key `name` chooses the scenario (`paper` if it is missing),
            the others are what differs from its defaults. What is kept are `envs.scenario.ScenarioParams`.
        plans: the actions, as `envs.plans.expand` takes them; None is `["semaigc"]`, the splits 0..T.
        fidelity: `profile` reads the measured quality; `live` really generates every image.
        receiver: receiver of the profile.
        profile: a `QualityProfile`, a file of one, or None for the one that is shipped.
        requests: which of its requests are served: `train`, those that policies are fitted on; `test`, others that
            they are judged on; `all`.
        num_inference_steps: T of plans given by name; None is the profile's.
        transceiver: what generates images to render, and those of `live`; None is the embedded model.
        acceptance: which images are acceptable: `similarity`, `alignment`, or a mapping of another `metric` and its
            `least` value; None is the scenario's own (`envs.transceiver.profile.acceptance`). Kept is an `Acceptance`.
        max_attempts: attempts before a request fails.
        deadline_s: a request that takes longer fails.
        episode_length: requests of a session.
        observation_window: requests that the observation is averaged over; 1 shows the next one as it is.
        reward: `satisfaction`, `qoe`, `vector`; or a mapping of `name` and weights (`envs.rewards`).
        link: what sending does and costs: `paper`, `analog` or `digital` (`envs.costs.formulas.LINKS`).
        channel: the noise on latents of the links `paper` and `analog`: a name, or a mapping of `name` and
            parameters; None is the one that the profile was measured over.
        edge_device, user_device: the devices at either end, as `envs.costs.make_device` takes them; kept are `Device`s.
        cloud_device: that of the cloud, for plans that compute there, likewise.
        costs: where their seconds come from: `paper` (as the devices state them), `flops`, or a source of
            `envs.costs.sources`, such as what `envs.transceiver.timed_costs` measured.

    Raises:
        ValueError: a value out of its bounds.
    """

    scenario: Any = "paper"
    plans: str | Plan | Sequence[str | Plan] | None = None
    fidelity: str = "profile"
    receiver: str = "finetuned"
    profile: Any = None
    requests: str = TRAIN
    num_inference_steps: int | None = None
    transceiver: Any = None
    acceptance: AcceptanceChoice | None = None
    max_attempts: int = 3
    deadline_s: float = 60.0
    episode_length: int = 20
    observation_window: int = 1
    reward: RewardChoice = "satisfaction"
    link: str = "paper"
    channel: ChannelChoice | None = None
    edge_device: Any = RTX_A6000
    user_device: Any = GTX_1080_TI
    cloud_device: Any = A100
    costs: str | CostSource = "paper"

    def __post_init__(self) -> None:
        for name in ("max_attempts", "episode_length", "observation_window"):
            checks.integer(name, getattr(self, name), 1)
        checks.number("deadline_s", self.deadline_s, above=0.0)
        checks.choice("fidelity", self.fidelity, FIDELITIES)
        checks.choice("requests", self.requests, (*PARTS, ALL))
        if self.num_inference_steps is not None:
            checks.integer("num_inference_steps", self.num_inference_steps, 1)
        for name in ("edge_device", "user_device", "cloud_device"):
            object.__setattr__(self, name, make_device(name, getattr(self, name)))
        checks.choice("link", self.link, LINKS)
        if self.acceptance is not None:
            object.__setattr__(self, "acceptance", acceptance_rule(self.acceptance))
        cost_source(self.costs)
        make_reward(self.reward)
        object.__setattr__(self, "scenario", resolve_scenario(self.scenario))

    @classmethod
    def from_keywords(cls, keywords: Mapping[str, Any], base: SplitSettings | None = None) -> SplitSettings:
        """Settings from the keywords of `gymnasium.make`, or others with these changed.

        Raises:
            ValueError: an unknown keyword, or a value out of its bounds.
        """
        for name in checks.REPLACED.keys() & keywords.keys():
            raise ValueError(f"{name} was replaced: {checks.REPLACED[name]}")
        if base is None:
            return checks.make(cls, keywords, "environment settings")
        names = [field.name for field in fields(cls)]
        checks.keys("environment settings", keywords, names, names)
        return replace(base, **keywords)

    @property
    def acceptance_rule(self) -> Acceptance:
        """Which images are acceptable: as chosen, or the scenario's own rule."""
        return acceptance_rule(self.scenario.ACCEPTANCE if self.acceptance is None else self.acceptance)

    def priced_devices(self, source: CostSource) -> tuple[Device, Device]:
        """Edge and user with the seconds that a source of costs gives them."""
        if isinstance(source, Stated):
            return self.edge_device, self.user_device
        from envs.transceiver.receivers import receiver_step  # torch, only where the receiver's step has its own price

        return source.devices(self.edge_device, self.user_device, receiver_step(self.receiver))
