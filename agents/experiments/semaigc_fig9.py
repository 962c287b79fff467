"""Figure 9: latency and satisfaction of the five frameworks, over available compute (PACR) and over SNR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from agents.evaluation.comparison import compare, contender
from agents.experiments.shared import honest_link
from agents.experiments.shared.drawing import PACR_LABEL, SNR_LABEL, draw_policy
from agents.experiments.shared.findings import Claim, Findings, paper
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FIXED, FRAMEWORKS, Served, Sweep
from agents.experiments.shared.study import ComparedOptions, Study
from agents.reports.style import house_style, label_of
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
    sweeps = {
        (receiver, axis): _sweep(study, options, receiver, axis, getattr(options, axis))
        for receiver in receivers
        for axis in AXES
    }
    claims: list[Claim] = []
    for receiver in receivers:
        claims += _over_compute(receiver, sweeps[receiver, "edge_availability"])
        claims += _over_snr(receiver, sweeps[receiver, "snr_db"])
    figures = {
        "" if receiver == receivers[0] else receiver: _draw(receiver, {axis: sweeps[receiver, axis] for axis in AXES})
        for receiver in receivers
    }
    first = receivers[0]
    links = {"shannon": sweeps[first, "snr_db"]}
    links["coded"] = _sweep(study, options, first, "snr_db", options.snr_db, rate="coded")
    curves = honest_link.over_bandwidth(study.settings_of(first), links["shannon"].points)
    return Findings(
        "Figure 9: latency and satisfaction of the five frameworks",
        figures | {"honest_link": honest_link.draw(links, curves)},
        {"": _rows(sweeps), "honest_link": honest_link.rows(links, curves)},
        [*claims, *honest_link.claims(links, curves)],
        study.notes,
    )


def _sweep(study: Study, options: Options, receiver: str, axis: str, points: Points, **changes: Any) -> Sweep:
    served: list[Served] = []
    root = root_of(study, receiver, options.root)
    for point in tqdm(points, desc=f"receiver {receiver}, {axis}", leave=False):
        settings = study.settings_of(receiver, {axis: [point, point]}, **changes)
        policies = {name: root if name == "root" else name for name in FRAMEWORKS}
        contenders = {name: contender(policy, settings, options.num_sessions) for name, policy in policies.items()}
        requests = options.num_sessions * settings.episode_length
        served.append(compare(contenders, num_requests=requests, seed=study.seed))
    return Sweep(points, served)


def _over_compute(receiver: str, sweep: Sweep) -> list[Claim]:
    at = f"receiver {receiver}: "
    root = sweep.means("root", "latency_s")
    others = {name: sweep.means(name, "latency_s") for name in FIXED}
    satisfaction = sweep.means("root", "reward")
    points = {name: int((values - root).argmin()) for name, values in others.items()}
    faster = {name: index for name, index in points.items() if others[name][index] < root[index]}
    told = [
        f"{label_of(name)} at PACR {sweep.points[i]:g} ({others[name][i]:.1f} against {root[i]:.1f} s)"
        for name, i in faster.items()
    ]
    instead = [
        f"{label_of(name)} {sweep.means(name, 'reward')[i]:.2f} against {satisfaction[i]:.2f}"
        for name, i in faster.items()
    ]
    leads = satisfaction - sweep.means("edge", "reward")
    lead = float(leads.mean())
    saved = float((others["edge"] - root).mean())
    scarce, ample = int(np.argmin(sweep.points)), int(np.argmax(sweep.points))
    over = sweep.over_root(scarce, "edge", "reward")
    ranked = {name: float((satisfaction - sweep.means(name, "reward")).min()) for name in FIXED}
    closest = min(ranked, key=lambda name: ranked[name])
    return [
        paper(
            f"ROOT's mean latency stays below {PAPER_LATENCY_S:g} s at every PACR",
            f"{at}{root.min():.1f} to {root.max():.1f} s",
            root.max() < PAPER_LATENCY_S,
            f"{root.max():.1f} s at PACR {sweep.points[int(root.argmax())]:g}",
        ),
        paper(
            "ROOT is faster than the other frameworks at every PACR",
            at + (f"faster are {'; '.join(told)}" if told else "no framework is faster anywhere"),
            not faster,
            "the reward counts delivery in time of an acceptable image, not the lowest latency; satisfaction at these "
            f"points: {', '.join(instead)}",
        ),
        paper(
            f"on average slightly faster than Edge, by {PAPER_UNDER_EDGE_S:g} s",
            f"{at}{saved:+.1f} s faster, mean over PACR",
            0 < saved <= 2 * PAPER_UNDER_EDGE_S,
            f"Edge needs {others['edge'][scarce]:.1f} s and ROOT {root[scarce]:.1f} s at PACR "
            f"{sweep.points[scarce]:g}, {others['edge'][ample]:.1f} s and {root[ample]:.1f} s at PACR "
            f"{sweep.points[ample]:g}",
        ),
        paper(
            f"satisfaction about {PAPER_OVER_EDGE:.0%} above Edge",
            f"{at}{lead:+.2f} on average over PACR, {-over.mean:+.2f} (95 % {-over.high:+.2f} to {-over.low:+.2f}) at "
            f"PACR {sweep.points[scarce]:g}",
            abs(lead - PAPER_OVER_EDGE) <= ABOUT * PAPER_OVER_EDGE,
            f"the lead is {leads[scarce]:+.2f} at PACR {sweep.points[scarce]:g} and {leads[ample]:+.2f} at PACR "
            f"{sweep.points[ample]:g}",
        ),
        paper(
            "no framework satisfies as ROOT does, at any PACR",
            f"{at}smallest lead {ranked[closest]:+.3f}, over {label_of(closest)}",
            ranked[closest] > 0,
            f"{label_of(closest)} is ahead at PACR "
            f"{sweep.points[int((satisfaction - sweep.means(closest, 'reward')).argmin())]:g}",
        ),
    ]


def _over_snr(receiver: str, sweep: Sweep) -> list[Claim]:
    at, harsh = f"receiver {receiver}: ", int(np.argmin(sweep.points))
    claims = []
    for name, stated_s in PAPER_HARSH_S.items():
        more = sweep.over_root(harsh, name, "latency_s")
        outcomes = sweep.served[harsh][name]
        link_s, attempts = outcomes["latency_link_s"].mean(), outcomes["attempts"].mean()
        claims.append(
            paper(
                f"at the harshest SNR {label_of(name)} needs about {stated_s:g} s more than ROOT",
                f"{at}{more.mean:+.1f} s (95 % {more.low:+.1f} to {more.high:+.1f}) at {sweep.points[harsh]:g} dB",
                abs(more.mean - stated_s) <= ABOUT * stated_s,
                f"its link takes {link_s:.2f} s on average there, over {attempts:.2f} attempts of "
                f"{link_s / attempts:.2f} s; its computing takes {outcomes['latency_s'].mean() - link_s:.1f} s, all of "
                f"ROOT {sweep.served[harsh]['root']['latency_s'].mean():.1f} s",
            )
        )
    satisfaction = sweep.means("root", "reward")
    ranked = {name: float((satisfaction - sweep.means(name, "reward")).min()) for name in FIXED}
    closest = min(ranked, key=lambda name: ranked[name])
    point = int((satisfaction - sweep.means(closest, "reward")).argmin())
    claims.append(
        paper(
            "no framework satisfies as ROOT does, at any SNR",
            f"{at}smallest lead {ranked[closest]:+.3f}, over {label_of(closest)} at {sweep.points[point]:g} dB",
            ranked[closest] > 0,
            f"{label_of(closest)} is ahead at {sweep.points[point]:g} dB",
        )
    )
    return claims


def _draw(receiver: str, sweeps: Mapping[str, Sweep]) -> Figure:
    with house_style():
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        figure.suptitle(f"receiver {receiver} (SemAIGC and Non-ROOT)", fontsize=9)
        panels = figure.subplots(len(MEASURES), len(AXES), sharey="row", sharex="col")
        for row, (measure, label) in zip(panels, MEASURES.items(), strict=True):
            for panel, sweep in zip(row, sweeps.values(), strict=True):
                for policy in FRAMEWORKS:
                    draw_policy(panel, sweep.points, sweep.intervals(policy, measure), policy)
                panel.set_ylim(bottom=0)
            row[0].set_ylabel(label)
        for panel, axis in zip(panels[-1], sweeps, strict=True):
            panel.set_xlabel(AXES[axis])
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right center")
    return figure


def _rows(sweeps: Mapping[tuple[str, str], Sweep]) -> list[dict[str, Any]]:
    rows = []
    for (receiver, axis), sweep in sweeps.items():
        for policy in FRAMEWORKS:
            columns = {measure: sweep.intervals(policy, measure) for measure in MEASURES}
            for index, point in enumerate(sweep.points):
                row: dict[str, Any] = {"receiver": receiver, "axis": axis, "value": point, "policy": policy}
                for name, measure in (("latency_s", "latency_s"), ("satisfaction", "reward")):
                    each = columns[measure][index]
                    row |= {name: each.mean, f"{name}_low": each.low, f"{name}_high": each.high}
                outcomes = sweep.served[index][policy]
                row |= {name: float(outcomes[name].mean()) for name in ("latency_link_s", "attempts", "failed")}
                rows.append(row)
    return rows
