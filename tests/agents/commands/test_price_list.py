"""The table of every plan's seconds, bytes and joules."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from agents.commands.price_list import HEADINGS, price_rows
from envs import costs, plans
from envs.command_line import CONFIGS

Command = Callable[..., int]


def test_the_command_prices_every_kind_of_plan(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = tmp_path / "prices.csv"
    assert command("agents.commands.price_list", "snr_db=0", "bandwidth_hz=5e6", f"csv={out}") == 0
    printed = capsys.readouterr().out
    names = list(OmegaConf.load(CONFIGS / "price_list.yaml").plans)
    stems = {re.split(r"\(|@|_webp", name)[0] for name in names}
    assert stems | {"non_root", "non_finetuning"} == {*plans.SCHEMES, *plans.FAMILIES}
    with out.open(encoding="utf-8") as file:
        rows = {row["plan"]: row for row in csv.DictReader(file)}
    assert list(rows) == names
    for plan in plans.expand(names):
        price = costs.price(plan, snr_db=0.0, bandwidth_hz=5e6)
        row = rows[plan.name]
        assert float(row["latency_s"]) == pytest.approx(price.latency_s, rel=1e-12)
        assert float(row["energy_j"]) == pytest.approx(price.energy_j, rel=1e-12)
        sent = sum(float(row[f"{way}_bytes"]) for way in ("uplink", "downlink", "sidelink"))
        assert 8 * sent == price.payload_bits
        assert re.search(rf"{re.escape(plan.name)} .*{price.latency_s:,.3f}", printed)


@pytest.mark.parametrize(("width", "tables"), [(80, 2), (140, 1)])
def test_nothing_is_cut_off_on_a_narrow_terminal(
    width: int, tables: int, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert command("agents.commands.price_list", "snr_db=-6", "bandwidth_hz=1e6") == 0
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert printed.count("euci_cache_miss(10) ") == tables
    assert printed.count("──\n") + printed.count("── \n") == tables
    assert max(map(len, printed.splitlines())) <= width
    for heading in HEADINGS.values():
        assert f"{heading} " in printed or f"{heading}\n" in printed


def test_rows_have_the_printed_columns() -> None:
    table = costs.CostTable.compile([plans.cluster(5, 3)], link="digital")
    (row,) = price_rows(table, costs.LinkState(3.0, 1e6), costs.Payloads())
    assert list(row) == list(HEADINGS)
    assert row["requests"] == 3
    assert row["sidelink_bytes"] == 2 * 16_384


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("snr_db=loud", "snr_db must be a finite number, got 'loud'"),
        ("bandwidth_hz=0", "bandwidth_hz must be a finite number > 0"),
        ("backhaul_bps=fast", "backhaul_bps must be a finite number, got 'fast'"),
        ("link=morse", "unknown link 'morse'; allowed: paper, analog, digital"),
        ("rate=coded", "rate was replaced: give link=paper"),
        ("plans=[cloud]", "unknown plan 'cloud'"),
        ("plans=3", "unknown plan 3; allowed: semaigc"),
        ("num_inference_steps=0", "num_inference_steps must be an integer >= 1, got 0"),
        ("costs=measured", "have to be timed"),
        ("+speed=3", "unknown keys in configuration: speed"),
        ("csv=3", "csv must be text, got 3"),
    ],
)
def test_bad_input_is_one_line(command: Command, argument: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("agents.commands.price_list", argument) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1
    assert said in error[0]


@pytest.mark.parametrize("end", ["edge", "user"])
def test_eucis_devices_state_what_their_throughput_gives(end: str) -> None:
    values: Any = OmegaConf.to_container(OmegaConf.load(CONFIGS / "devices" / "euci.yaml"))[end]  # type: ignore[index,call-overload]
    stated = costs.Device(**values)
    counted = costs.Counted().devices(stated, stated, costs.ReceiverStep(guided=True, light=False))[0]
    for module in ("unet", "text_encoder", "vae_decoder"):
        assert stated.module_s(module) == pytest.approx(counted.module_s(module), rel=1e-3)
