"""Seconds, bytes and joules of plans at one state: `python -m agents price_list snr_db=0 bandwidth_hz=5e6`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agents.runs.settings import configured_costs, configured_devices, read_settings
from envs import costs, plans
from envs.checks import Count
from envs.command_line import command
from envs.files import write_rows

GROUPS = ("devices", "costs")
NOTES = (
    "One attempt of each; where a plan serves several users, all of them, until the last has its image. Weights that "
    "euci_unet_sent and euci_cache_miss send are kept: later requests are euci's. Text is free to send."
)

HEADINGS = {
    "plan": "plan",
    "requests": "users",
    "edge_s": "edge s",
    "link_s": "link s",
    "user_s": "user s",
    "cloud_s": "cloud s",
    "latency_s": "latency s",
    "energy_j": "energy J",
    "uplink_bytes": "up kB",
    "downlink_bytes": "down kB",
    "sidelink_bytes": "aside kB",
    "backhaul_bytes": "backhaul kB",
}


def price_rows(table: costs.CostTable, state: costs.LinkState, payloads: costs.Payloads) -> list[dict[str, Any]]:
    """What one attempt of each plan costs, a row with the keys of `HEADINGS`.

    Args:
        table: of the plans.
        state: one state of link and devices.
        payloads: what the table was compiled with.

    Raises:
        ValueError: a state that has no price.
    """
    state.validate()
    parts, latency_s, energy_j = table.price(state).bill()
    cloud_s = np.zeros_like(parts.edge) if parts.cloud is None else parts.cloud
    sent = [costs.traffic(plan, payloads) for plan in table.plans]
    columns = [
        [plan.name for plan in table.plans],
        [plan.requests for plan in table.plans],
        *(column[0].tolist() for column in (parts.edge, parts.link, parts.user, cloud_s, latency_s, energy_j)),
        [each.uplink_bits / 8 for each in sent],
        [each.downlink_bits / 8 for each in sent],
        [each.sidelink_bits / 8 for each in sent],
        [each.backhaul_bits / 8 for each in sent],
    ]
    return [dict(zip(HEADINGS, row, strict=True)) for row in zip(*columns, strict=True)]


def price_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Some columns of the rows for a terminal."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(HEADINGS[name], justify="left" if name == "plan" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(name, row[name]) for name in names))
    return table


def print_prices(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """One table, or two below each other on a narrow console: seconds and joules, then the cloud's and what is sent."""
    console = Console()
    console.print(title, style="bold", highlight=False)
    tables = [price_table(rows, tuple(HEADINGS))]
    if _width(tables[0]) > console.width:
        sent = ["cloud_s", *(name for name in HEADINGS if name.endswith("_bytes"))]
        tables = [
            price_table(rows, [name for name in HEADINGS if name not in sent]),
            price_table(rows, ["plan", *sent]),
        ]
    for table in tables:
        Console(width=max(console.width, _width(table))).print(table)  # rather too long a line than digits cut off
    console.print(NOTES, highlight=False)


def _width(table: Table) -> int:
    return Console(width=10_000).measure(table).maximum


def _shown(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1e3:,.1f}" if value else "-"
    return f"{value:,.3f}" if name.endswith("_s") else f"{value:,.1f}" if name == "energy_j" else str(value)


@dataclass(frozen=True)
class PriceListSettings:
    """`configs/price_list.yaml` outside the groups.

    Attributes:
        snr_db, bandwidth_hz, edge_availability, user_availability, density_factor: as of `envs.costs.LinkState`.
        link: what sending costs, a name of `envs.costs.LINKS`.
        backhaul_bps: rate between cloud and edge.
        num_inference_steps: T.
        csv: a file for the table; None: none.
        plans: as `envs.plans.expand` takes them.
    """

    snr_db: float
    bandwidth_hz: float
    edge_availability: float
    user_availability: float
    density_factor: float
    link: str
    backhaul_bps: float
    num_inference_steps: Count
    csv: str | None
    plans: str | list[str]


@command("price_list")
def main(config: DictConfig) -> None:
    """Print the table, and write it where a file is named."""
    settings = read_settings(PriceListSettings, config, GROUPS)
    source = costs.cost_source(configured_costs(config.costs) or "measured")
    edge, user, cloud = configured_devices(config.devices)
    edge, user = source.devices(edge, user, costs.ReceiverStep())
    chosen = plans.expand(settings.plans, settings.num_inference_steps)
    table = costs.CostTable.compile(
        chosen, edge, user, source.payloads, settings.link, settings.backhaul_bps, source.cloud(cloud)
    )
    state = costs.LinkState(*(getattr(settings, name) for name in costs.LinkState._fields))
    rows = price_rows(table, state, source.payloads)
    title = (
        f"{settings.snr_db:g} dB, {settings.bandwidth_hz / 1e6:g} MHz, {settings.num_inference_steps} steps, "
        f"{edge.name} ({settings.edge_availability:.0%} free) to {user.name} ({settings.user_availability:.0%} free), "
        f"costs {source.name}, link {settings.link}"
    )
    print_prices(rows, title)
    if settings.csv is not None:
        write_rows(Path(settings.csv), rows)
        print(settings.csv)
