"""Is splitting worth it here? The best of the opponents, of the splits, and of all: `python -m agents worth`.

For one scenario, link, rule of acceptance and costs; `python evaluate.py experiment=worth` does it for all of them.

    python -m agents worth scenario=queue env.link=digital env.acceptance=alignment costs=flops
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.evaluation.planned import Planned, PlannerSizes, planned
from agents.evaluation.statistics import flat
from agents.evaluation.worth import ALL, CHOSEN, NO_CLOUD, SPLITS, Optima, PlanLists, optima, plan_lists
from agents.policies.model_based import check_one_reward
from agents.reports.provenance import describe
from agents.reports.terminal import terminal
from agents.runs.settings import GROUPS, read_settings
from agents.runs.setup import prepare_environment
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Count, Natural
from envs.command_line import command
from envs.files import write_rows

LABELS = {
    "papers": "the papers' opponents: edge as raw pixels, user",
    "named": "edge, user, light network, cloud",
    CHOSEN: "the same and both ends of the splits",
    SPLITS: "real splits alone",
    ALL: "all",
    CHOSEN + NO_CLOUD: "opponents, without the cloud",
    ALL + NO_CLOUD: "all, without the cloud",
}


@dataclass(frozen=True)
class WorthSettings:
    """`configs/worth.yaml` outside the groups.

    Attributes:
        seed: of the states, or sessions.
        requests: of the profile that plans are judged on; they are fitted on the training ones.
        num_states: independent states in which optima are exact.
        planner: sizes where decisions reach later requests.
        codec, latent_codec: of images and of latents.
        csv: a file for the table; None: none.
    """

    seed: Natural
    requests: str
    num_states: Count
    planner: PlannerSizes
    codec: str
    latent_codec: str
    csv: str | None


@command("worth")
def main(config: DictConfig) -> None:
    """Print the table, and write it where a file is named."""
    settings = read_settings(WorthSettings, config, GROUPS)
    configured, _ = prepare_environment(config, 1)
    base = replace(configured, requests=settings.requests)
    environment = SplitVectorEnv(1, base)
    check_one_reward(environment.model)
    lists = plan_lists(base, settings.codec, settings.latent_codec)
    console = terminal()
    console.print(describe(config, environment), soft_wrap=True)
    with console.status("Comparing"):
        found = _found(base, lists, settings)
    rows = worth_rows(found)
    console.print(_table(rows))
    for cloud in (True, False):
        against = "all opponents" if cloud else "the opponents without the cloud"
        console.print(f"splitting adds {found.adds(cloud).text('+.4f')} to {against}", soft_wrap=True)
    for line in lists.notes:
        console.print(f"note: {line}", soft_wrap=True)
    if settings.csv is not None:
        write_rows(Path(settings.csv), [flat(row) for row in rows])
        console.print(settings.csv, soft_wrap=True)


def _found(base: SplitSettings, lists: PlanLists, settings: WorthSettings) -> Optima | Planned:
    names = [name for name in LABELS if len(lists.members[name])]
    if base.scenario.IS_SEQUENTIAL:
        return planned(base, lists, settings.planner, settings.seed, names)
    return optima(base, lists, settings.num_states, settings.seed, names)


def worth_rows(found: Optima | Planned) -> list[dict[str, Any]]:
    """Each list with its satisfaction, and the plan that is taken most."""
    names = found.served if isinstance(found, Planned) else found.earned
    return [
        {
            "list": name,
            "plans": len(found.lists.members[name]),
            "satisfaction": found.mean(name),
            "most_taken": found.most_taken(name),
        }
        for name in names
    ]


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("best of", "plans", "satisfaction", "taken most"):
        table.add_column(heading, justify="right" if heading == "plans" else "left")
    for row in rows:
        table.add_row(LABELS[row["list"]], str(row["plans"]), row["satisfaction"].text(".4f"), row["most_taken"])
    return table
