"""What the commands prepare from a configuration, and refuse, before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from agents.evaluation.comparison import Contender, contender
from agents.runs.settings import MeasuredCosts, environment_settings, policy_names
from envs import SplitSettings, SplitVectorEnv, checks
from envs.command_line import CONFIGS, plain
from envs.transceiver import ModelOptions, QualityProfile, load_transceiver, on_hub, timed_costs

OF_THE_TRANSCEIVER = ("path", "guidance_scale", "device")
"""Keys of the group `transceiver` beside the model's options."""


@dataclass(frozen=True)
class Setup:
    """The environment and the policies of a configuration.

    Attributes:
        settings: of the environment; the profile is read, and shared by all that are made.
        environment: one of them.
        contenders: label -> policy to compare with.
    """

    settings: SplitSettings
    environment: SplitVectorEnv
    contenders: dict[str, Contender]


def prepare(config: DictConfig, num_envs: int, refused: dict[str, str] | None = None) -> Setup:
    """Read the profile, make the environment, load every policy.

    Args:
        config: with the groups of `agents.runs.settings.GROUPS`.
        num_envs: sessions side by side.
        refused: where given, policies that cannot be loaded are left out, and here is why: label -> reason.

    Raises:
        ValueError: anything in the groups that is unknown, missing, or does not fit the rest.
    """
    policies = policy_names(config)
    settings, environment = prepare_environment(config, num_envs)
    contenders = {}
    for label, policy in policies.items():
        try:
            contenders[label] = contender(policy, settings, num_envs)
        except ValueError as error:
            if refused is None:
                raise
            refused[label] = str(error)
    return Setup(settings, environment, contenders)


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
        transceiver = matching_transceiver(config.transceiver, model.profile, settings.channel)
        if settings.fidelity == "live":
            settings = replace(settings, transceiver=transceiver)
        if timed:
            timing = asdict(checks.parse(MeasuredCosts, plain(config.costs, exclude=["name"]), "costs"))
            settings = replace(settings, costs=timed_costs(transceiver, settings.receiver, **timing))
    return settings, SplitVectorEnv(num_envs, settings)


def check_transceiver(config: DictConfig) -> None:
    """Refuse a transceiver that cannot be there, without loading anything.

    Raises:
        ValueError: unknown keys of the group, or a folder that does not exist.
    """
    options = list(ModelOptions.__dataclass_fields__)
    checks.keys("transceiver", config, [*OF_THE_TRANSCEIVER, *options], options)
    allowed = "must be a folder with weights, hub:owner/name or null"
    if OmegaConf.is_missing(config, "path"):
        raise ValueError(f"transceiver.path {allowed}, nothing was given")
    if config.path is not None and not on_hub(config.path) and not Path(config.path).expanduser().is_dir():
        raise ValueError(f"transceiver.path {allowed}, got {str(config.path)!r}")
    try:
        ModelOptions.from_config(plain(config, exclude=OF_THE_TRANSCEIVER))
    except ValueError as error:
        raise ValueError(f"transceiver: {error}") from error


def matching_transceiver(config: DictConfig, profile: QualityProfile, channel: Any) -> Any:
    """Load the transceiver.

    Args:
        config: the group `transceiver`.
        profile: the measured profile whose requests it will serve.
        channel: the link, as the environment takes it; not necessarily the profile's.

    Raises:
        ValueError: no weights, or other weights than the profile was measured with.
    """
    transceiver = load_transceiver(**plain(config), num_inference_steps=profile.num_inference_steps, channel=channel)
    profile.check_measured_with({k: v for k, v in transceiver.fingerprint.items() if k != "channel"})
    return transceiver


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
