"""What the commands prepare from a configuration, and refuse, before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from agents.evaluation.comparison import Contender, contender
from agents.runs.settings import MeasuredCosts, environment_settings, policy_names
from envs import SplitSettings, SplitVectorEnv, checks
from envs.command_line import CONFIGS, argument, command_line, plain
from envs.costs import CostSource
from envs.fidelity import check_measured_with
from envs.transceiver import (
    ModelOptions,
    load_transceiver,
    on_hub,
    timed_costs,
    transceiver_fingerprint,
)


@dataclass(frozen=True)
class Setup:
    """The environments and the policies of a configuration.

    Attributes:
        settings: of the environment as it is configured, which agents learn in; the profile is read, and shared by all
            that are made.
        judged: of the environment that policies are judged in; only its requests may be others.
        environment: one of these.
        contenders: label -> policy to compare with, in such environments.
    """

    settings: SplitSettings
    judged: SplitSettings
    environment: SplitVectorEnv
    contenders: dict[str, Contender]


def prepare(
    config: DictConfig, num_envs: int, requests: str | None = None, refused: dict[str, str] | None = None
) -> Setup:
    """Read the profile, make the environment, load every policy.

    Args:
        config: with the groups of `agents.runs.settings.GROUPS`.
        num_envs: sessions side by side.
        requests: of the profile that policies are judged on, `train`, `test` or `all`; None: the environment's own.
        refused: where given, policies that cannot be loaded are left out, and here is why: label -> reason.

    Raises:
        ValueError: anything in the groups that is unknown, missing, or does not fit the rest.
    """
    policies = policy_names(config)
    settings, environment = prepare_environment(config, num_envs)
    judged = settings
    if requests is not None:
        judged = replace(settings, requests=requests)
        environment = SplitVectorEnv(num_envs, judged)
    contenders = {}
    for label, policy in policies.items():
        try:
            contenders[label] = contender(policy, judged, num_envs)
        except ValueError as error:
            if refused is None:
                raise
            refused[label] = str(error)
    return Setup(settings, judged, environment, contenders)


def prepare_environment(config: DictConfig, num_envs: int) -> tuple[SplitSettings, SplitVectorEnv]:
    """Read the profile, load the transceiver where images are generated or steps timed, make the environment.

    Args:
        config: with the groups of `prepare` but `policies`.
        num_envs: sessions side by side.

    Returns:
        (settings of the environment, with its profile; the environment).

    Raises:
        ValueError: anything in the groups that is unknown, missing, or does not fit the rest.
    """
    settings = environment_settings(config)
    check_transceiver(config.transceiver)
    model = SplitVectorEnv(1, replace(settings, fidelity="profile", channel=None)).model
    settings = replace(settings, profile=model.profile)
    timed = config.costs.name == "measured"
    if settings.fidelity == "live" or timed:
        transceiver = matching_transceiver(config.transceiver, model, settings.channel)
        if settings.fidelity == "live":
            settings = replace(settings, transceiver=transceiver)
        if timed:
            settings = replace(settings, costs=configured_timing(config.costs, transceiver, settings.receiver))
    elif _is_named(config.transceiver):
        check_weights(config.transceiver, model)
    return settings, SplitVectorEnv(num_envs, settings)


def configured_timing(config: DictConfig, transceiver: Any, receiver: str) -> CostSource:
    """Time a loaded transceiver as the group `costs=measured` says.

    Raises:
        ValueError: unknown or missing keys of the group, or a value that is not allowed.
    """
    timing = asdict(checks.parse(MeasuredCosts, plain(config, exclude=["name"]), "costs"))
    return timed_costs(transceiver, receiver, **timing)


def check_transceiver(config: DictConfig) -> None:
    """Refuse a transceiver that cannot be there, without loading anything.

    Raises:
        ValueError: unknown keys of the group, or a folder that does not exist.
    """
    options = [field.name for field in fields(ModelOptions)]
    checks.keys("transceiver", config, [*ModelOptions.BESIDE, *options], options)
    allowed = "must be a folder with weights, hub:owner/name or null"
    if OmegaConf.is_missing(config, "path"):
        raise ValueError(f"transceiver.path {allowed}, nothing was given")
    if config.path is not None and not on_hub(config.path) and not Path(config.path).expanduser().is_dir():
        raise ValueError(f"transceiver.path {allowed}, got {str(config.path)!r}")
    try:
        _options(config)
    except ValueError as error:
        raise ValueError(f"transceiver: {error}") from error


def check_weights(config: DictConfig, model: Any) -> None:
    """Refuse a transceiver that a model's tables were not measured with, by the files in folders; nothing is loaded.

    Args:
        config: the group `transceiver`, as `check_transceiver` lets it pass.
        model: of the environment beside which it would stand.

    Raises:
        ValueError: other weights or another guidance than the tables'; how such a profile is measured.
    """
    options = _options(config)
    try:
        check_measured_with(model, config.path, options, config.guidance_scale)
    except ValueError as error:
        steps = model.num_inference_steps
        given = transceiver_fingerprint(config.path, options, steps, config.guidance_scale)
        file = f"outputs/profile/{given['weights']}.npz"
        measure = [*group_overrides("transceiver", config), argument("output", file)]
        raise ValueError(
            f"{error}: name the weights that it was measured with (transceiver.path=FOLDER), or "
            f"measure a profile of these, {command_line('python -m envs make_profile', measure)}, and name it, "
            f"env.profile={file}"
        ) from error


def group_overrides(group: str, config: DictConfig) -> list[str]:
    """What is typed for a group of the configuration: its nearest variant, and what differs from that."""
    ways = []
    for file in sorted((CONFIGS / group).glob("*.yaml")):
        shipped = yaml.safe_load(file.read_text(encoding="utf-8"))
        changed = {key: value for key, value in plain(config).items() if key not in shipped or shipped[key] != value}
        plus = {key: "" if key in shipped else "+" for key in changed}
        typed = [argument(f"{plus[key]}{group}.{key}", value) for key, value in changed.items()]
        ways.append([f"{group}={file.stem}", *typed])
    return min(ways, key=len)


def _is_named(config: DictConfig) -> bool:
    """Whether weights or guidance were chosen, rather than left at those of the shipped profile."""
    return config.path is not None or config.guidance_scale is not None or bool(_options(config).sources)


def _options(config: DictConfig) -> ModelOptions:
    return ModelOptions.from_group(plain(config))


def matching_transceiver(config: DictConfig, model: Any, channel: Any) -> Any:
    """Load the transceiver.

    Args:
        config: the group `transceiver`.
        model: of the environment whose requests it will serve.
        channel: the link, as the environment takes it; not necessarily the profile's.

    Raises:
        ValueError: no weights, or other weights than the model's tables were measured with.
    """
    check_weights(config, model)
    return load_transceiver(**plain(config), num_inference_steps=model.num_inference_steps, channel=channel)


def scenario_configs(names: Sequence[str]) -> dict[str, DictConfig]:
    """Name -> the group `scenario` as `scenario=NAME` composes it.

    Raises:
        hydra.errors.MissingConfigException: a name without a file; the message of the command lists the others.
    """
    # Within a command the search path is the command's, which `--config-dir` may have extended.
    within = GlobalHydra.instance().is_initialized()
    with nullcontext() if within else initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return {name: compose(f"scenario/{name}").scenario for name in names}


def scenario_name(scenario: DictConfig, chosen: str) -> str:
    """The name of a scenario that was chosen by name and may have been changed since."""
    return chosen if scenario == scenario_configs([chosen])[chosen] else f"{chosen}, changed"


def named_scenarios(scenarios: Iterable[DictConfig]) -> dict[str, DictConfig]:
    """The different ones of some scenarios, under the names of the shipped ones that they are, or else numbered."""
    shipped = scenario_configs(sorted(file.stem for file in (CONFIGS / "scenario").glob("*.yaml")))
    found: dict[str, DictConfig] = {}
    for scenario in scenarios:
        if scenario not in found.values():
            name = next((name for name, each in shipped.items() if each == scenario), f"scenario {len(found) + 1}")
            found[name] = scenario
    return found
