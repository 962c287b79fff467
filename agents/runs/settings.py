"""From a composed configuration to validated settings and to the environment's keywords."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from omegaconf import DictConfig, OmegaConf

from envs import costs

GROUPS = ("env", "scenario", "channel", "transceiver", "devices", "costs", "policies")


@dataclass(frozen=True)
class Settings:
    """What the commands share: a plain value for each field, checked.

    Every field that is an integer must be >= 1, but those of `_MAY_BE_ZERO`.
    """

    _MAY_BE_ZERO = ("seed", "evaluation_seed", "comparison_seed", "delivered_images")

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                least = 0 if field.name in self._MAY_BE_ZERO else 1
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    raise ValueError(f"{field.name} must be an integer >= {least}, got {value!r}")
            elif field.type == "bool" and not isinstance(value, bool):
                raise ValueError(f"{field.name} must be true or false, got {value!r}")

    @classmethod
    def from_config(cls, config: DictConfig, groups: Iterable[str]) -> Self:
        """Read the fields from the keys outside the groups; `evaluation.seed` is the field `evaluation_seed`.

        Raises:
            ValueError: unknown or missing keys, or a value that is not allowed.
        """
        values: dict[str, Any] = {}
        for key, value in plain(config, exclude=groups).items():
            values |= {f"{key}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {key: value}
        keys = {_key_of(field.name): field.name for field in fields(cls)}
        check_keys("configuration", values, keys)
        return cls(**{keys[key]: value for key, value in values.items()})


@dataclass(frozen=True)
class TrainSettings(Settings):
    """`configs/train.yaml` outside the groups; counts are requests.

    Attributes:
        seed: of the agent and of the environment that it learns in.
        total_requests: requests to learn from.
        num_envs: sessions side by side.
        resume: `auto`: the run of this configuration goes on where it was interrupted; `never`; or a run's folder.
        evaluation_every_requests, evaluation_num_requests, evaluation_seed: the learning curve.
        evaluation_map_every_requests: the decision map beside it.
        comparison_num_requests, comparison_seed: the table of policies at the end.
        checkpoint_every_requests: how often the run can be resumed from.
        delivered_images: images shown at the end; 0 for none.
    """

    seed: int
    total_requests: int
    num_envs: int
    resume: str
    evaluation_every_requests: int
    evaluation_map_every_requests: int
    evaluation_num_requests: int
    evaluation_seed: int
    comparison_num_requests: int
    comparison_seed: int
    checkpoint_every_requests: int
    delivered_images: int


@dataclass(frozen=True)
class EvaluateSettings(Settings):
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
    """

    seed: int
    num_requests: int
    num_envs: int
    bins: int
    figures: bool
    seeds: list[int] | None = None
    scenarios: list[str] | None = None
    runs: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_list("seeds", self.seeds, "integers >= 0", lambda v: type(v) is int and v >= 0)
        _check_list("scenarios", self.scenarios, "names of configs/scenario", lambda v: isinstance(v, str))
        if self.runs is not None and not isinstance(self.runs, str):
            raise ValueError(f"runs must be a folder or null, got {self.runs!r}")

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of the requests."""
        return [self.seed] if self.seeds is None else self.seeds


def environment_keywords(config: DictConfig) -> dict[str, Any]:
    """Constructor keywords of the environment, from the groups `env`, `scenario`, `channel`, `devices` and `costs`.

    Raises:
        ValueError: unknown or missing keys of a device or of the costs; the environment itself checks the rest.
    """
    keywords = plain(config.env) | {"scenario": plain(config.scenario), "channel": plain(config.channel)}
    return keywords | configured_devices(config.devices) | {"costs": configured_costs(config.costs)}


def configured_devices(config: DictConfig) -> dict[str, costs.Device]:
    """The group `devices` as the keywords `edge_device` and `user_device`.

    Raises:
        ValueError: unknown or missing keys, or a value that a device refuses.
    """
    check_keys("devices", config, ["name", "edge", "user"])
    devices = {}
    for end in ("edge", "user"):
        values = plain(config[end])
        check_keys(f"devices.{end}", values, [field.name for field in fields(costs.Device)])
        devices[f"{end}_device"] = costs.Device(**values)
    return devices


def configured_costs(config: DictConfig) -> costs.CostSource | str:
    """The group `costs` as the environment takes it; "measured" where a model has yet to be timed.

    Raises:
        ValueError: unknown costs, or unknown or missing keys of them.
    """
    allowed = {
        "paper": (),
        "flops": ("light_model",),
        "measured": ("repeats", "threads", "edge_slowdown", "user_slowdown"),
    }
    values = plain(config)
    name = values.get("name")
    if name not in allowed:
        raise ValueError(f"unknown costs {name!r}; allowed: {', '.join(allowed)}")
    check_keys("costs", values, ["name", *allowed[name]])
    if name == "flops":
        return costs.Counted(values["light_model"])
    return str(name)


def policy_names(config: DictConfig) -> dict[str, str]:
    """Label -> name or path of each policy to compare.

    Raises:
        ValueError: no policy, or an entry that is not a name or a path.
    """
    policies = plain(config.get("policies") or {})
    if not policies:
        raise ValueError("policies is empty: name at least one, e.g. 'policies=[oracle,root]'")
    for label, name in policies.items():
        if not isinstance(name, str):
            raise ValueError(f"policies.{label} must be the name of a policy or a path, got {name!r}")
    return {str(label): str(name) for label, name in policies.items()}


def _check_list(name: str, values: Any, of: str, is_allowed: Callable[[Any], bool]) -> None:
    if values is None:
        return
    if not isinstance(values, list) or not values or not all(is_allowed(value) for value in values):
        raise ValueError(f"{name} must be a list of {of} or null, got {values!r}")
    if len(set(values)) < len(values):
        raise ValueError(f"{name} must name each once, got {values!r}")


def _key_of(field: str) -> str:
    section, _, rest = field.partition("_")
    return f"{section}.{rest}" if section in ("evaluation", "comparison") else field


def plain(config: DictConfig | Mapping[str, Any], exclude: Iterable[str] = ()) -> dict[str, Any]:
    """A configuration as plain Python values, without the keys of `exclude`."""
    container = OmegaConf.to_container(OmegaConf.create(dict(config)), resolve=True)
    left_out = set(exclude)
    return {str(key): value for key, value in dict(container).items() if key not in left_out}  # type: ignore[arg-type]


def check_keys(where: str, given: Iterable[Any], allowed: Iterable[str]) -> None:
    """Refuse unknown and missing keys.

    Raises:
        ValueError: with what was given and what is allowed.
    """
    names, expected = [str(key) for key in given], list(allowed)
    if unknown := [name for name in names if name not in expected]:
        raise ValueError(f"unknown keys in {where}: {', '.join(unknown)}; allowed: {', '.join(expected)}")
    if missing := [name for name in expected if name not in names]:
        raise ValueError(f"missing keys in {where}: {', '.join(missing)}")
