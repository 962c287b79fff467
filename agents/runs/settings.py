"""From a composed configuration to frozen, validated settings: of a command, and of the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from omegaconf import DictConfig

from envs import SplitSettings, checks, costs
from envs.checks import Count, Natural
from envs.command_line import plain
from envs.transceiver import TEST

GROUPS = ("env", "scenario", "channel", "transceiver", "devices", "costs", "policies")
Chosen = TypeVar("Chosen")


@dataclass(frozen=True)
class AgentSettings:
    """The group `agent`: what learns.

    Attributes:
        name: a key of `agents.ALGORITHMS`.
        hyperparameters: that differ from those of `configs/agent/NAME.yaml`.
        init_from: policy whose networks it starts from; None: random ones.
    """

    name: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    init_from: str | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | DictConfig) -> AgentSettings:
        """Settings of the group, whose other keys are hyperparameters.

        Raises:
            ValueError: no name, or one that is not text; a policy to start from that is not named by text.
        """
        values = plain(config)
        name, source = (values.pop(key, None) for key in ("name", "init_from"))
        init_from = None if source is None else checks.text("agent.init_from", source)
        return cls(checks.text("agent.name", name), values, init_from)


@dataclass(frozen=True)
class LearningCurveSettings:
    """The learning curve: how often, on which requests."""

    every_requests: Count
    map_every_requests: Count
    num_requests: Count
    seed: Natural


@dataclass(frozen=True)
class ComparisonSettings:
    """The table of policies at the end: `evaluate.py` with the same four gives the same numbers."""

    num_requests: Count
    seed: Natural
    num_envs: Count
    requests: str = TEST


@dataclass(frozen=True)
class TrainSettings:
    """`configs/train.yaml` outside the groups; counts are requests.

    Attributes:
        seed: of the agent and of the environment that it learns in.
        total_requests: requests to learn from.
        num_envs: sessions side by side.
        resume: `auto`: the run of this configuration goes on where it was interrupted; `never`; or a run's folder.
        evaluation: the learning curve, and the decision map beside it.
        comparison: the table of policies at the end.
        checkpoint_every_requests: how often the run can be resumed from.
        delivered_images: images shown at the end; 0 for none.
    """

    seed: Natural
    total_requests: Count
    num_envs: Count
    resume: str
    evaluation: LearningCurveSettings
    comparison: ComparisonSettings
    checkpoint_every_requests: Count
    delivered_images: Natural


@dataclass(frozen=True)
class EvaluateSettings:
    """`configs/evaluate.yaml` outside the groups.

    Attributes:
        seed: of the requests, the same for every policy.
        num_requests: requests served by each policy, with each seed in each scenario.
        num_envs: sessions side by side.
        bins: points along SNR and compute in the figures.
        figures: whether to draw them and to write the report.
        seeds: several in place of `seed`, or None.
        scenarios: names of `configs/scenario` in place of the one that is configured, or None.
        runs: a folder of training runs to gather, or None.
        requests: of the profile that policies are judged on: `train`, `test` or `all`.
        shard: `i/n`: make that part of the runs' evaluations alone; `gather`: the report of all of them; None: both.
        cells: folder of the runs' evaluations; None: `evaluations` below the runs.
    """

    seed: Natural
    num_requests: Count
    num_envs: Count
    bins: Count
    figures: bool
    seeds: list[Natural] | None = None
    scenarios: list[str] | None = None
    runs: str | None = None
    requests: str = TEST
    shard: str | None = None
    cells: str | None = None

    def __post_init__(self) -> None:
        for name in ("seeds", "scenarios"):
            values = getattr(self, name) or []
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must name each once, got {values!r}")

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of the requests."""
        return [self.seed] if self.seeds is None else self.seeds


def read_settings(cls: type[Chosen], config: DictConfig, groups: Iterable[str]) -> Chosen:
    """The settings of a command: the keys outside the groups, see `envs.checks.parse`.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    return checks.parse(cls, plain(config, exclude=groups))


def override_keys(overrides: Iterable[str]) -> list[str]:
    """The keys that a command line changes, in order: `+agent.gamma=0` changes `agent.gamma`."""
    return [override.lstrip("+~").partition("=")[0] for override in overrides]


def environment_settings(config: DictConfig) -> SplitSettings:
    """Settings of the environment, from the groups `env`, `scenario`, `channel`, `devices` and `costs`.

    Costs that have yet to be timed are left at those of the paper, see `agents.runs.setup`.

    Raises:
        ValueError: unknown or missing keys, or a value that is not allowed.
    """
    edge, user, cloud = configured_devices(config.devices)
    groups = {"scenario": plain(config.scenario), "channel": plain(config.channel)}
    prices = {
        "edge_device": edge,
        "user_device": user,
        "cloud_device": cloud,
        "costs": configured_costs(config.costs) or "paper",
    }
    return SplitSettings.from_keywords(plain(config.env) | groups | prices)


def configured_devices(config: DictConfig) -> tuple[costs.Device, costs.Device, costs.Device]:
    """The devices of the group `devices`: of the edge, of the user and, which may be left out, of the cloud.

    Raises:
        ValueError: unknown or missing keys, or a value that a device refuses.
    """
    checks.keys("devices", config, ["name", "edge", "user", "cloud"], optional=["cloud"])
    chosen = {"cloud": costs.A100, **plain(config)}
    edge, user, cloud = (costs.make_device(f"devices.{place}", chosen[place]) for place in ("edge", "user", "cloud"))
    return edge, user, cloud


def configured_costs(config: DictConfig) -> costs.CostSource | None:
    """The group `costs` as the environment takes it; None where a model has yet to be timed.

    Raises:
        ValueError: unknown costs, or unknown or missing keys of them.
    """
    allowed = {"paper": (), "flops": ("light_model",), "measured": tuple(MeasuredCosts.__dataclass_fields__)}
    name, values = checks.named("costs", plain(config))
    checks.choice("costs", name, allowed)
    checks.keys("costs", values, allowed[name])
    if name == "flops":
        return costs.Counted(values["light_model"])
    return costs.Stated() if name == "paper" else None


@dataclass(frozen=True)
class MeasuredCosts:
    """The group `costs=measured`: see `envs.transceiver.timed_costs`."""

    repeats: Count
    threads: Count
    edge_slowdown: float
    user_slowdown: float
    cloud_slowdown: float


def policy_names(config: DictConfig) -> dict[str, str]:
    """Label -> name or path of each policy to compare.

    Raises:
        ValueError: no policy, or an entry that is not a name or a path.
    """
    policies = plain(config.get("policies") or {})
    if not policies:
        raise ValueError("policies is empty: name at least one, e.g. 'policies=[oracle,root]'")
    return {label: checks.text(f"policies.{label}", name) for label, name in policies.items()}
