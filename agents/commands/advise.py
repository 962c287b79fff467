"""Should I split at all? Which plan to run in which state, and what that is worth: `python -m agents advise`.

    python -m agents advise pair=two_laptops                    # or a6000_1080ti, 4090_phone
    python -m agents advise edge_step_s=0.05 user_step_s=0.4 'scenario.latency_low_s=[2,5]'

For two devices and a link it prints a rule over the state, what choosing by the state adds to the best fixed plan, and
what splitting adds to everything at one end; a picture and the same as JSON lie in the folder of the run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from agents.evaluation.advice import AdviceSettings, advise, check_advisable
from agents.evaluation.worth import plan_lists
from agents.runs.settings import configured_costs, configured_devices, read_settings
from agents.runs.setup import check_transceiver, configured_timing, matching_transceiver
from envs import SplitSettings, SplitVectorEnv, checks, costs
from envs.command_line import command, plain, shown
from envs.files import whole_file, write_text
from envs.transceiver import QualityProfile

GROUPS = ("scenario", "transceiver", "devices", "costs")
SLOWEST_STEP_S = 100.0
FORMATS = ("text", "json")


@dataclass(frozen=True)
class AdviseSettings(AdviceSettings):
    """`configs/advise.yaml` outside the groups.

    Attributes:
        edge_step_s, user_step_s: seconds of a guided step, in place of the device's own; None: these.
        codec: of images.
        link, acceptance, receiver, profile, requests: as of `SplitSettings`.
        format: how the advice is printed, one of `FORMATS`.
    """

    edge_step_s: float | None
    user_step_s: float | None
    codec: str
    link: str
    acceptance: Any
    receiver: str
    profile: str | None
    requests: str
    format: str

    def __post_init__(self) -> None:
        checks.choice("format", self.format, FORMATS)
        for name in ("edge_step_s", "user_step_s"):
            if (value := getattr(self, name)) is not None:
                checks.number(name, value, most=SLOWEST_STEP_S, above=0.0)


def with_own_step(device: costs.Device, name: str, step_s: float | None) -> costs.Device:
    """A device of one's own, whose guided step takes so long; what else it runs follows by counted operations.

    A step of any network takes as long. The clock prices no seconds; one of 1 GHz lets slow devices be observable.
    """
    if step_s is None:
        return device
    guided_flops = costs.Counted().cloud(replace(device, compute_flops_per_s=1.0)).step_s
    own = replace(device, name=name, compute_flops_per_s=guided_flops / step_s, clock_hz=1e9, cores=1)
    return replace(costs.Counted().cloud(own), parallel_fraction=0.0, finetune_step_s=None, light_step_s=None)


def environment(config: DictConfig, own: AdviseSettings) -> SplitSettings:
    """Settings of the environment, with its profile.

    Raises:
        ValueError: anything that is unknown, missing, or does not fit the rest.
    """
    edge, user, cloud = configured_devices(config.devices)
    source = configured_costs(config.costs)
    check_transceiver(config.transceiver)
    if source is None and (own.edge_step_s or own.user_step_s):
        raise ValueError("edge_step_s and user_step_s are stated, costs=measured times this machine: give one of both")
    settings = SplitSettings(
        scenario=plain(config.scenario),
        edge_device=with_own_step(edge, "own edge", own.edge_step_s),
        user_device=with_own_step(user, "own device", own.user_step_s),
        cloud_device=cloud,
        costs=source or "paper",
        **{name: getattr(own, name) for name in ("link", "acceptance", "receiver", "requests")},
    )
    check_advisable(settings)
    settings = replace(settings, profile=QualityProfile.load(own.profile))
    if source is not None:
        return settings
    transceiver = matching_transceiver(config.transceiver, SplitVectorEnv(1, settings).model, None)
    return replace(settings, costs=configured_timing(config.costs, transceiver, own.receiver))


@command("advise")
def main(config: DictConfig) -> None:
    """Print the advice, draw it."""
    own = read_settings(AdviseSettings, config, GROUPS)
    settings = environment(config, own)
    lists = plan_lists(settings, own.codec)
    found = advise(settings, lists, own)
    from agents.reports.advice import advice_text, draw_advice  # heavy: after help and mistakes

    folder = Path(HydraConfig.get().runtime.output_dir)
    told = json.dumps(found.as_dict(), indent=1) + "\n"
    write_text(folder / "advice.json", told)
    with whole_file(folder / "advice.png") as partial:
        draw_advice(found).savefig(partial, dpi=150)
    if own.format == "json":
        print(told, end="")
    else:
        print(f"{advice_text(found)}\n\npicture  {shown(folder / 'advice.png')}")
