"""What an honest digital link does to figure 9: 5G LDPC and QAM carry bits, and nothing noisy arrives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from agents.experiments.shared.claims import Claim, report
from agents.experiments.shared.crossover import (
    BANDWIDTHS_HZ,
    FrameworkSatisfaction,
    expected_satisfaction,
    first_crossing,
)
from agents.experiments.shared.findings import Row
from agents.experiments.shared.states import Sweep
from agents.reports.drawing import SNR_LABEL, draw_intervals, subplots
from agents.reports.style import house_style, label_of, line_style
from envs import SplitSettings

LINKS = {"paper": ("-", "the papers' link"), "digital": ("--", "5G LDPC and QAM")}
"""Link -> line style and label."""
SENDERS = ("root", "edge")
"""Whose latency is drawn: who sends a latent, and who sends an image."""
NAMES = {"semaigc": "root", "non_root": "non_root", "edge": "edge"}
"""Field of `FrameworkSatisfaction` -> the policy whose colour and name it has."""

SatisfactionCurves = Mapping[tuple[str, float], FrameworkSatisfaction]
"""(link, SNR in dB) -> expected satisfaction over `BANDWIDTHS_HZ`."""


def over_bandwidth(settings: SplitSettings, snrs_db: Sequence[float]) -> SatisfactionCurves:
    """Expected satisfaction over bandwidth at the harshest and the mildest SNR, over both links.

    Args:
        settings: of the environment; its scenario, plans and link are set here.
        snrs_db: points of the figure's axis.
    """
    return {
        (link, snr_db): expected_satisfaction(snr_db, BANDWIDTHS_HZ, link, settings=settings)
        for link in LINKS
        for snr_db in (min(snrs_db), max(snrs_db))
    }


def claims(links: Mapping[str, Sweep], curves: SatisfactionCurves) -> list[Claim]:
    """How much later Edge AIGC is at the harshest SNR, and the bandwidths at which the order turns.

    Args:
        links: link -> the five frameworks over SNR.
        curves: over bandwidth.
    """
    harsh = int(np.argmin(links["paper"].points))
    snr_db = links["paper"].points[harsh]
    late, less, turns = [], [], []
    for link, (_, label) in LINKS.items():
        sweep = links[link]
        gap_s, gap = (sweep.over_root(harsh, "edge", measure) for measure in ("latency_s", "reward"))
        link_s = sweep.served[harsh]["edge"]["latency_link_s"].mean()
        late.append(f"{label} {gap_s.text('+.1f', ' s')}, {link_s:.1f} s on its link")
        less.append(f"{label} {gap.text('+.3f')}")
    for (link, level_db), mean in curves.items():
        over = [_megahertz(first_crossing(BANDWIDTHS_HZ, ahead, mean.edge)) for ahead in (mean.non_root, mean.semaigc)]
        turns.append(f"{LINKS[link][1]}, {level_db:g} dB: Non-ROOT {over[0]}, SemAIGC {over[1]}")
    return [
        report(f"honest link: how much later is Edge than ROOT at {snr_db:g} dB (the paper: 45 s)?", "; ".join(late)),
        report(f"honest link: satisfaction of Edge less ROOT's at {snr_db:g} dB", "; ".join(less)),
        report(
            "honest link: bandwidth above which Edge satisfies more than Non-ROOT, and than SemAIGC at its best split",
            "; ".join(turns),
        ),
    ]


@house_style()
def draw(links: Mapping[str, Sweep], curves: SatisfactionCurves) -> Figure:
    """Latency over SNR, and expected satisfaction over bandwidth at the harshest SNR, over both links."""
    harsh_db = min(level_db for _, level_db in curves)
    figure, (latency, bandwidth) = subplots(7.2, 3.2, 1, 2)
    for link, (line, label) in LINKS.items():
        for policy in SENDERS:
            style = line_style(policy) | {"linestyle": line, "label": f"{label_of(policy)}, {label}"}
            draw_intervals(latency, links[link].points, links[link].intervals(policy, "latency_s"), **style)
        for field, policy in NAMES.items():
            style = line_style(policy) | {"linestyle": line, "label": f"{_name(field)}, {label}", "marker": ""}
            bandwidth.plot(BANDWIDTHS_HZ / 1e6, getattr(curves[link, harsh_db], field), **style)
    latency.set(xlabel=SNR_LABEL, ylabel="Mean latency (s)")
    latency.set_ylim(bottom=0)
    bandwidth.set(xscale="log", xlabel=f"Bandwidth (MHz), at {harsh_db:g} dB", ylabel="Expected satisfaction")
    bandwidth.set_ylim(0, 1)
    for panel in (latency, bandwidth):
        panel.legend(fontsize=6)
    return figure


def rows(links: Mapping[str, Sweep], curves: SatisfactionCurves) -> list[Row]:
    """All numbers: latency over SNR, expected satisfaction over bandwidth; the latter is exact in its states."""
    found: list[Row] = [
        {
            "link": link,
            "snr_db": snr_db,
            "bandwidth_hz": math.nan,
            "framework": label_of(policy),
            "measure": "latency_s",
            "value": each.mean,
            "low": each.low,
            "high": each.high,
        }
        for link, sweep in links.items()
        for policy in SENDERS
        for snr_db, each in zip(sweep.points, sweep.intervals(policy, "latency_s"), strict=True)
    ]
    return found + [
        {
            "link": link,
            "snr_db": snr_db,
            "bandwidth_hz": bandwidth_hz,
            "framework": _name(field),
            "measure": "expected_satisfaction",
            "value": value,
            "low": math.nan,
            "high": math.nan,
        }
        for (link, snr_db), mean in curves.items()
        for field in NAMES
        for bandwidth_hz, value in zip(BANDWIDTHS_HZ, getattr(mean, field), strict=True)
    ]


def _name(field: str) -> str:
    return "SemAIGC at its best split" if field == "semaigc" else label_of(NAMES[field])


def _megahertz(hz: float) -> str:
    return f"above {hz / 1e6:.1f} MHz" if math.isfinite(hz) else f"never up to {BANDWIDTHS_HZ[-1] / 1e6:g} MHz"
