"""Seconds, bytes and joules of plans at one state: `python -m agents.commands.price_list snr_db=0 bandwidth_hz=5e6`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from agents.reports.rows import write_rows
from agents.runs.settings import check_keys, configured_costs, configured_devices, plain
from envs import costs, plans
from envs.command_line import CONFIGS, one_line_errors

GROUPS = ("devices", "costs")
STATE = ("snr_db", "bandwidth_hz", "edge_availability", "user_availability", "density_factor")
KEYS = (*STATE, "rate", "backhaul_bps", "num_inference_steps", "csv", "plans")
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
    prices = table.price(state)
    parts, latency_s, energy_j = prices.bill()
    rows = []
    for index, plan in enumerate(table.plans):
        sent = costs.traffic(plan, payloads)
        rows.append(
            {
                "plan": plan.name,
                "requests": plan.requests,
                "edge_s": parts.edge[0, index].item(),
                "link_s": parts.link[0, index].item(),
                "user_s": parts.user[0, index].item(),
                "latency_s": latency_s[0, index].item(),
                "energy_j": energy_j[0, index].item(),
                "uplink_bytes": sent.uplink_bits / 8,
                "downlink_bytes": sent.downlink_bits / 8,
                "sidelink_bytes": sent.sidelink_bits / 8,
                "backhaul_bytes": sent.backhaul_bits / 8,
            }
        )
    return rows


def price_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Some columns of the rows for a terminal."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in names:
        table.add_column(HEADINGS[name], justify="left" if name == "plan" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(_shown(name, row[name]) for name in names))
    return table


def print_prices(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """One table, or two below each other on a narrow console: seconds and joules, then what is sent."""
    console = Console()
    console.print(title, style="bold", highlight=False)
    tables = [price_table(rows, tuple(HEADINGS))]
    if _width(tables[0]) > console.width:
        sent = [name for name in HEADINGS if name.endswith("_bytes")]
        tables = [
            price_table(rows, [name for name in HEADINGS if name not in sent]),
            price_table(rows, ["plan", *sent]),
        ]
    for table in tables:
        Console(width=max(console.width, _width(table))).print(table)  # rather too long a line than digits cut off
    console.print(NOTES, highlight=False)


def _width(table: Table) -> int:
    wide = Console(width=10_000)
    return Measurement.get(wide, wide.options, table).maximum


def _shown(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1e3:,.1f}" if value else "-"
    return f"{value:,.3f}" if name.endswith("_s") else f"{value:,.1f}" if name == "energy_j" else str(value)


@hydra.main(config_path=str(CONFIGS), config_name="price_list", version_base="1.3")
def main(config: DictConfig) -> None:
    """Print the table, and write it where a file is named."""
    with one_line_errors():
        given = plain(config, exclude=GROUPS)
        check_keys("configuration", given, KEYS)
        state = {name: given[name] for name in STATE}
        for name in (*STATE, "backhaul_bps"):
            if isinstance(given[name], bool) or not isinstance(given[name], int | float):
                raise ValueError(f"{name} must be a number, got {given[name]!r}")
        if not isinstance(given["csv"], str | None):
            raise ValueError(f"csv must be the name of a file or null, got {given['csv']!r}")
        if not isinstance(given["plans"], str | list):
            raise ValueError(f"plans must be names of plans, got {given['plans']!r}")
        source = costs.cost_source(configured_costs(config.costs))
        stated = configured_devices(config.devices)
        edge, user = source.devices(stated["edge_device"], stated["user_device"], costs.ReceiverStep())
        chosen = plans.expand(given["plans"], given["num_inference_steps"])
        table = costs.CostTable.compile(chosen, edge, user, source.payloads, given["rate"], given["backhaul_bps"])
        rows = price_rows(table, costs.LinkState(**state), source.payloads)
        title = (
            f"{state['snr_db']:g} dB, {state['bandwidth_hz'] / 1e6:g} MHz, {given['num_inference_steps']} steps, "
            f"{edge.name} ({state['edge_availability']:.0%} free) to {user.name} "
            f"({state['user_availability']:.0%} free), "
            f"costs {source.name}, rate {given['rate']}"
        )
        print_prices(rows, title)
        if given["csv"] is not None:
            write_rows(rows, Path(given["csv"]))
            print(given["csv"])


if __name__ == "__main__":
    with one_line_errors():
        main()
