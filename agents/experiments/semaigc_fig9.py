"""Figure 9: latency and satisfaction of the five frameworks, over available compute (PACR) and over SNR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.evaluation.comparison import compare, contender
from agents.evaluation.entries import Outcomes
from agents.experiments.shared import honest_link
from agents.experiments.shared.findings import Claim, Findings, Row, named_rows, paper, per_receiver
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FIXED, FRAMEWORKS, Sweep
from agents.experiments.shared.study import ComparedOptions, Study
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, draw_intervals, subplots
from agents.reports.style import house_style, label_of, line_style
from envs.checks import Count, Points

AXES = {"edge_availability": PACR_LABEL, "snr_db": SNR_LABEL}
MEASURES = {"latency_s": "Mean latency (s)", "reward": "Satisfaction"}
PAPER_LATENCY_S, PAPER_UNDER_EDGE_S, PAPER_OVER_EDGE = 25.0, 2.0, 0.40
PAPER_HARSH_S = {"non_finetuning": 25.0, "edge": 45.0}
ABOUT = 0.25
"""A stated difference counts as found within a quarter of it."""


@dataclass(frozen=True)
class Options(ComparedOptions):
    """Sizes.

    Attributes:
        snr_db, edge_availability: points along the two axes; what is not fixed there is drawn as in the scenario.
        num_sessions: sessions at each point, served whole by every framework.
    """

    snr_db: Points
    edge_availability: Points
    num_sessions: Count


def run(study: Study, options: Options) -> Findings:
    """Serve the same requests by every framework at every point, and once more over the honest link."""
    receivers = study.measured_receivers(options.receivers)
    sweeps = {receiver: {axis: _sweep(study, options, receiver, axis) for axis in AXES} for receiver in receivers}
    first = receivers[0]
    links = {"shannon": sweeps[first]["snr_db"], "coded": _sweep(study, options, first, "snr_db", rate="coded")}
    curves = honest_link.over_bandwidth(study.settings_of(first), options.snr_db)
    figures = {"" if receiver == first else receiver: _draw(receiver, each) for receiver, each in sweeps.items()}
    return Findings(
        "Figure 9: latency and satisfaction of the five frameworks",
        figures | {"honest_link": honest_link.draw(links, curves)},
        {"": named_rows("receiver", sweeps, _rows), "honest_link": honest_link.rows(links, curves)},
        [*per_receiver(sweeps, _claims), *honest_link.claims(links, curves)],
        study.notes,
    )


def _sweep(study: Study, options: Options, receiver: str, axis: str, **changes: Any) -> Sweep:
    served: list[dict[str, Outcomes]] = []
    root = root_of(study, receiver, options.root)
    points: Points = getattr(options, axis)
    for point in tqdm(points, desc=f"receiver {receiver}, {axis}", unit="point", leave=False):
        settings = study.settings_of(receiver, {axis: [point, point]}, **changes)
        policies = {name: root if name == "root" else name for name in FRAMEWORKS}
        contenders = {name: contender(policy, settings, options.num_sessions) for name, policy in policies.items()}
        requests = options.num_sessions * settings.episode_length
        served.append(compare(contenders, num_requests=requests, seed=study.seed))
    return Sweep(points, served)


def _claims(sweeps: Mapping[str, Sweep]) -> list[Claim]:
    return [*_over_compute(sweeps["edge_availability"]), *_over_snr(sweeps["snr_db"])]


def _over_compute(sweep: Sweep) -> list[Claim]:
    root, edge_s = sweep.means("root", "latency_s"), sweep.means("edge", "latency_s")
    satisfaction = sweep.means("root", "reward")
    exceptions, instead = [], []
    for name in FIXED:
        own = sweep.means(name, "latency_s")
        i = int((own - root).argmin())
        if own[i] < root[i]:
            exceptions.append(f"{label_of(name)} at PACR {sweep.points[i]:g} ({own[i]:.1f} against {root[i]:.1f} s)")
            instead.append(f"{label_of(name)} {sweep.means(name, 'reward')[i]:.2f} against {satisfaction[i]:.2f}")
    leads = satisfaction - sweep.means("edge", "reward")
    lead, saved = float(leads.mean()), float((edge_s - root).mean())
    scarce, ample = int(np.argmin(sweep.points)), int(np.argmax(sweep.points))
    over = -sweep.over_root(scarce, "edge", "reward")
    least, closest, point = _smallest_lead(sweep)
    at_scarce, at_ample = f"PACR {sweep.points[scarce]:g}", f"PACR {sweep.points[ample]:g}"
    return [
        paper(
            f"ROOT's mean latency stays below {PAPER_LATENCY_S:g} s at every PACR",
            f"{root.min():.1f} to {root.max():.1f} s",
            root.max() < PAPER_LATENCY_S,
            f"{root.max():.1f} s at PACR {sweep.points[int(root.argmax())]:g}",
        ),
        paper(
            "ROOT is faster than the other frameworks at every PACR",
            f"faster are {'; '.join(exceptions)}" if exceptions else "no framework is faster anywhere",
            not exceptions,
            "the reward counts delivery in time of an acceptable image, not the lowest latency; satisfaction at these "
            f"points: {', '.join(instead)}",
        ),
        paper(
            f"on average slightly faster than Edge, by {PAPER_UNDER_EDGE_S:g} s",
            f"{saved:+.1f} s faster, mean over PACR",
            0 < saved <= 2 * PAPER_UNDER_EDGE_S,
            f"Edge needs {edge_s[scarce]:.1f} s and ROOT {root[scarce]:.1f} s at {at_scarce}, {edge_s[ample]:.1f} s "
            f"and {root[ample]:.1f} s at {at_ample}",
        ),
        paper(
            f"satisfaction about {PAPER_OVER_EDGE:.0%} above Edge",
            f"{lead:+.2f} on average over PACR, {over.text('+.2f')} at {at_scarce}",
            abs(lead - PAPER_OVER_EDGE) <= ABOUT * PAPER_OVER_EDGE,
            f"the lead is {leads[scarce]:+.2f} at {at_scarce} and {leads[ample]:+.2f} at {at_ample}",
        ),
        paper(
            "no framework satisfies as ROOT does, at any PACR",
            f"smallest lead {least:+.3f}, over {closest}",
            least > 0,
            f"{closest} is ahead at PACR {point:g}",
        ),
    ]


def _over_snr(sweep: Sweep) -> list[Claim]:
    harsh = int(np.argmin(sweep.points))
    claims = []
    for name, stated_s in PAPER_HARSH_S.items():
        more = sweep.over_root(harsh, name, "latency_s")
        outcomes = sweep.served[harsh][name]
        link_s, attempts = outcomes["latency_link_s"].mean(), outcomes["attempts"].mean()
        claims.append(
            paper(
                f"at the harshest SNR {label_of(name)} needs about {stated_s:g} s more than ROOT",
                f"{more.text('+.1f', ' s')} at {sweep.points[harsh]:g} dB",
                abs(more.mean - stated_s) <= ABOUT * stated_s,
                f"its link takes {link_s:.2f} s on average there, over {attempts:.2f} attempts of "
                f"{link_s / attempts:.2f} s; its computing takes {outcomes['latency_s'].mean() - link_s:.1f} s, all of "
                f"ROOT {sweep.served[harsh]['root']['latency_s'].mean():.1f} s",
            )
        )
    least, closest, point = _smallest_lead(sweep)
    claims.append(
        paper(
            "no framework satisfies as ROOT does, at any SNR",
            f"smallest lead {least:+.3f}, over {closest} at {point:g} dB",
            least > 0,
            f"{closest} is ahead at {point:g} dB",
        )
    )
    return claims


def _smallest_lead(sweep: Sweep) -> tuple[float, str, float]:
    """Of ROOT's satisfaction over any framework: how much, over which, at which point."""
    leads = {name: sweep.means("root", "reward") - sweep.means(name, "reward") for name in FIXED}
    closest = min(leads, key=lambda name: leads[name].min())
    return float(leads[closest].min()), label_of(closest), sweep.points[int(leads[closest].argmin())]


@house_style()
def _draw(receiver: str, sweeps: Mapping[str, Sweep]) -> Figure:
    figure, panels = subplots(7.2, 5.0, len(MEASURES), len(AXES), sharey="row", sharex="col")
    figure.suptitle(f"receiver {receiver} (SemAIGC and Non-ROOT)", fontsize=9)
    for row, (measure, label) in zip(panels, MEASURES.items(), strict=True):
        for panel, sweep in zip(row, sweeps.values(), strict=True):
            for policy in FRAMEWORKS:
                draw_intervals(panel, sweep.points, sweep.intervals(policy, measure), **line_style(policy))
            panel.set_ylim(bottom=0)
        row[0].set_ylabel(label)
    for panel, axis in zip(panels[-1], sweeps, strict=True):
        panel.set_xlabel(AXES[axis])
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(sweeps: Mapping[str, Sweep]) -> list[Row]:
    return [
        {
            "axis": axis,
            "value": point,
            "policy": policy,
            "latency_s": latency_s,
            "satisfaction": satisfaction,
            **{name: float(outcomes[policy][name].mean()) for name in ("latency_link_s", "attempts", "failed")},
        }
        for axis, sweep in sweeps.items()
        for policy in FRAMEWORKS
        for point, outcomes, latency_s, satisfaction in zip(
            sweep.points,
            sweep.served,
            sweep.intervals(policy, "latency_s"),
            sweep.intervals(policy, "reward"),
            strict=True,
        )
    ]
