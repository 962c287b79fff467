"""What an honest digital link does to figure 9: sending priced by what 5G LDPC and QAM carry, not by Shannon's rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from agents.experiments.shared.crossover import BANDWIDTHS_HZ, Satisfaction, expected_satisfaction, first_crossing
from agents.experiments.shared.drawing import SNR_LABEL, draw_band
from agents.experiments.shared.findings import Claim, report
from agents.experiments.shared.states import Sweep
from agents.reports.style import house_style, label_of, line_style
from envs import SplitSettings

RATES = {"shannon": ("-", "Shannon's rate"), "coded": ("--", "5G LDPC and QAM")}
"""Rate -> line style and label."""
SENDERS = ("root", "edge")
"""Whose latency is drawn: who sends a latent, and who sends an image."""
NAMES = {"semaigc": "root", "non_root": "non_root", "edge": "edge"}
"""Field of `Satisfaction` -> the policy whose colour and name it has."""

Curves = Mapping[tuple[str, float], Satisfaction]
"""(rate, SNR in dB) -> expected satisfaction over `BANDWIDTHS_HZ`."""


def over_bandwidth(settings: SplitSettings, snrs_db: Sequence[float]) -> Curves:
    """Expected satisfaction over bandwidth at the harshest and the mildest SNR, at both rates.

    Args:
        settings: of the environment; its scenario, plans and rate are set here.
        snrs_db: points of the figure's axis.
    """
    return {
        (rate, snr_db): expected_satisfaction(snr_db, BANDWIDTHS_HZ, rate, settings=settings)
        for rate in RATES
        for snr_db in (min(snrs_db), max(snrs_db))
    }


def claims(links: Mapping[str, Sweep], curves: Curves) -> list[Claim]:
    """How much later Edge AIGC is at the harshest SNR, and the bandwidths at which the order turns.

    Args:
        links: rate -> the five frameworks over SNR.
        curves: over bandwidth.
    """
    harsh = int(np.argmin(links["shannon"].points))
    snr_db = links["shannon"].points[harsh]
    late, less, turns = [], [], []
    for rate, (_, label) in RATES.items():
        sweep = links[rate]
        gap = sweep.over_root(harsh, "edge", "latency_s")
        link_s = sweep.served[harsh]["edge"]["latency_link_s"].mean()
        late.append(f"{label} {gap.mean:+.1f} s (95 % {gap.low:+.1f} to {gap.high:+.1f}), {link_s:.1f} s on its link")
        share = sweep.over_root(harsh, "edge", "reward")
        less.append(f"{label} {share.mean:+.3f} (95 % {share.low:+.3f} to {share.high:+.3f})")
    for (rate, level_db), mean in curves.items():
        over = [_megahertz(first_crossing(BANDWIDTHS_HZ, ahead, mean.edge)) for ahead in (mean.non_root, mean.semaigc)]
        turns.append(f"{RATES[rate][1]}, {level_db:g} dB: Non-ROOT {over[0]}, SemAIGC {over[1]}")
    return [
        report(f"honest link: how much later is Edge than ROOT at {snr_db:g} dB (the paper: 45 s)?", "; ".join(late)),
        report(f"honest link: satisfaction of Edge less ROOT's at {snr_db:g} dB", "; ".join(less)),
        report(
            "honest link: bandwidth above which Edge satisfies more than Non-ROOT, and than SemAIGC at its best split",
            "; ".join(turns),
        ),
    ]


def draw(links: Mapping[str, Sweep], curves: Curves) -> Figure:
    """Latency over SNR, and expected satisfaction over bandwidth at the harshest SNR, at both rates."""
    harsh_db = min(level_db for _, level_db in curves)
    with house_style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        latency, bandwidth = figure.subplots(1, 2)
        for rate, (line, label) in RATES.items():
            for policy in SENDERS:
                style = dict(line_style(policy)) | {"linestyle": line}
                means = links[rate].intervals(policy, "latency_s")
                draw_band(latency, links[rate].points, means, f"{label_of(policy)}, {label}", style)
            for field, policy in NAMES.items():
                style = {"color": line_style(policy)["color"], "linestyle": line}
                bandwidth.plot(
                    BANDWIDTHS_HZ / 1e6,
                    getattr(curves[rate, harsh_db], field),
                    label=f"{_name(field)}, {label}",
                    **style,
                )
        latency.set(xlabel=SNR_LABEL, ylabel="Mean latency (s)")
        latency.set_ylim(bottom=0)
        bandwidth.set(xscale="log", xlabel=f"Bandwidth (MHz), at {harsh_db:g} dB", ylabel="Expected satisfaction")
        bandwidth.set_ylim(0, 1)
        for panel in (latency, bandwidth):
            panel.legend(fontsize=6)
    return figure


def rows(links: Mapping[str, Sweep], curves: Curves) -> list[dict[str, Any]]:
    """All numbers: latency over SNR, expected satisfaction over bandwidth."""
    found: list[dict[str, Any]] = []
    for rate, sweep in links.items():
        for policy in SENDERS:
            for snr_db, each in zip(sweep.points, sweep.intervals(policy, "latency_s"), strict=True):
                found.append(
                    _row(rate, snr_db, math.nan, label_of(policy), "latency_s", each.mean, each.low, each.high)
                )
    for (rate, snr_db), mean in curves.items():
        for field in NAMES:
            for bandwidth_hz, value in zip(BANDWIDTHS_HZ, getattr(mean, field), strict=True):
                found.append(_row(rate, snr_db, bandwidth_hz, _name(field), "expected_satisfaction", value))
    return found


def _row(
    rate: str,
    snr_db: float,
    bandwidth_hz: float,
    framework: str,
    measure: str,
    value: float,
    low: float = math.nan,
    high: float = math.nan,
) -> dict[str, Any]:
    return {
        "rate": rate,
        "snr_db": snr_db,
        "bandwidth_hz": bandwidth_hz,
        "framework": framework,
        "measure": measure,
        "value": value,
        "low": low,
        "high": high,
    }


def _name(field: str) -> str:
    return "SemAIGC at its best split" if field == "semaigc" else label_of(NAMES[field])


def _megahertz(hz: float) -> str:
    return f"above {hz / 1e6:.1f} MHz" if math.isfinite(hz) else f"never up to {BANDWIDTHS_HZ[-1] / 1e6:g} MHz"
