"""Figures of the statistics: interquartile means, probability of improvement, performance profiles, maps of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from agents.evaluation.statistics import CellMeans, PerformanceProfile
from agents.reports.figures import STATES
from agents.reports.numbers import ALL, NumberRow
from agents.reports.style import house_style, label_of, line_style

MAPS_A_ROW = 4


def draw_intervals(rows: Sequence[NumberRow]) -> Figure:
    """Interquartile means with their intervals and plain means, one panel a scenario.

    Args:
        rows: of `agents.reports.numbers.aggregate_rows`.
    """
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    leading = ALL if ALL in scenarios else scenarios[0]
    order = {row["policy"]: row["iqm"] for row in rows} | {
        row["policy"]: row["iqm"] for row in rows if row["scenario"] == leading
    }
    given = list(order)  # as the other figures count them, so that a stranger has one colour
    policies = sorted(order, key=lambda policy: order[policy])
    columns = min(len(scenarios), 3)
    lines = -(-len(scenarios) // columns)
    with house_style():
        figure = Figure(figsize=(2.2 + 2.5 * columns, lines * (0.7 + 0.24 * len(policies))), layout="constrained")
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, scenario in zip(panels, scenarios, strict=False):
            for row in (row for row in rows if row["scenario"] == scenario):
                height = policies.index(row["policy"])
                colour = line_style(row["policy"], given.index(row["policy"]))["color"]
                panel.plot([row["iqm_low"], row["iqm_high"]], [height, height], color=colour, linewidth=5, alpha=0.35)
                panel.plot(row["iqm"], height, marker="|", markersize=10, markeredgewidth=2, color=colour)
                panel.plot(row["mean"], height, marker="o", markersize=3.5, markerfacecolor="white", color=colour)
            panel.set(yticks=range(len(policies)), yticklabels=[label_of(policy) for policy in policies])
            panel.set_ylim(-0.6, len(policies) - 0.4)
            if len(scenarios) > 1:
                panel.set_title("All scenarios" if scenario == ALL else scenario)
        for panel in panels[len(scenarios) :]:
            panel.set_visible(False)
        figure.supxlabel("Satisfaction: interquartile mean (bar, 95 %) and mean (circle)", fontsize=9)
    return figure


def draw_improvement(rows: Sequence[NumberRow]) -> Figure:
    """The chance that the policy of a row of the picture does better than that of a column.

    Args:
        rows: of `agents.reports.numbers.improvement_rows`.
    """
    won: dict[str, list[float]] = {}
    for row in rows:
        won.setdefault(row["policy"], []).append(row["probability"])
    policies = sorted(won, key=lambda policy: -float(np.mean(won[policy])))
    size = len(policies)
    values = np.full((size, size), np.nan)
    for row in rows:
        values[policies.index(row["policy"]), policies.index(row["baseline"])] = row["probability"]
    labels = [label_of(policy) for policy in policies]
    with house_style():
        figure = Figure(figsize=(2.6 + 0.5 * size, 1.5 + 0.36 * size), layout="constrained")
        panel = figure.subplots()
        mesh = panel.imshow(values, cmap="RdBu", vmin=0, vmax=1, aspect="auto")
        for i, j in zip(*np.nonzero(np.isfinite(values)), strict=True):
            ink = "white" if abs(values[i, j] - 0.5) > 0.35 else "black"
            panel.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=7, color=ink)
        panel.set_xticks(range(size), labels, rotation=35, ha="right", rotation_mode="anchor")
        panel.set_yticks(range(size), labels)
        panel.grid(visible=False)
        panel.spines[:].set_visible(False)
        panel.tick_params(length=0)
        of = "sessions on the same requests" if rows[0]["compared"] == "paired sessions" else "pairs of runs"
        bar = figure.colorbar(mesh, ax=panel, label=f"Row better than column\n(share of {of})")
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def draw_profiles(profiles: Mapping[str, PerformanceProfile], of_runs: bool) -> Figure:
    """Share of scores above a threshold, with pointwise 95 % bands.

    Args:
        profiles: label -> profile.
        of_runs: whether training runs have scores, or sessions.
    """
    scored = "training runs" if of_runs else "sessions"
    with house_style():
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        panel = figure.subplots()
        for position, (policy, each) in enumerate(profiles.items()):
            style = line_style(policy, position)
            panel.plot(each.threshold, each.share, label=label_of(policy), markevery=10, **style)  # type: ignore[arg-type]
            panel.fill_between(each.threshold, each.low, each.high, color=style["color"], alpha=0.15, linewidth=0)
        panel.set(xlabel="Satisfaction τ", ylabel=f"Share of {scored} with more than τ", xlim=(0, 1), ylim=(0, 1.02))
        figure.legend(loc="outside right center", handlelength=2.6)
    return figure


def draw_cell_maps(maps: Mapping[str, CellMeans]) -> Figure:
    """Satisfaction of every policy in cells of SNR x PACR, on one colour scale, with the numbers.

    Args:
        maps: label -> map, all over the same cells.
    """
    columns = min(len(maps), MAPS_A_ROW)
    lines = -(-len(maps) // columns)
    with house_style():
        figure = Figure(figsize=(0.9 + 2.5 * columns, 0.5 + 2.1 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel, (policy, each) in zip(panels, maps.items(), strict=False):
            mesh = panel.pcolormesh(each.x_edges, each.y_edges, each.mean, cmap="viridis", vmin=0, vmax=1)
            across, up = ((edges[1:] + edges[:-1]) / 2 for edges in (each.x_edges, each.y_edges))
            for i, j in zip(*np.nonzero(each.count), strict=True):
                ink = "black" if each.mean[i, j] > 0.6 else "white"
                text = f"{100 * each.mean[i, j]:.0f}"
                panel.text(across[j], up[i], text, ha="center", va="center", fontsize=6, color=ink)
            panel.set_title(label_of(policy))
            panel.grid(visible=False)
        for panel in panels[len(maps) :]:
            panel.set_visible(False)
        for panel in panels[max(len(maps) - columns, 0) : len(maps)]:  # the lowest one of each column
            panel.tick_params(labelbottom=True)
        figure.supxlabel(STATES[0].label, fontsize=9)
        figure.supylabel(STATES[1].label, fontsize=9)
        bar = figure.colorbar(mesh, ax=list(panels), label="Satisfaction (numbers: per cent)")
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure
