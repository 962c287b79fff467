"""The figures of a report: measures over the state, decision maps, and the statistics of scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.stats import binned_statistic_2d

from agents.evaluation.entries import Outcomes, crossed
from agents.evaluation.statistics import CellMeans, PerformanceProfile, binned_means
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, colour_bar, draw_line, subplots, write_cells
from agents.reports.numbers import ALL, NumberRow
from agents.reports.style import house_style, label_of, line_style

STATES = {"snr_db": SNR_LABEL, "edge_availability": PACR_LABEL}
MEASURES = {
    "satisfaction": ("reward", "Satisfaction"),
    "latency": ("latency_s", "Latency (s)"),
    "split": ("split", "Mean split (steps at the edge)"),
}
"""Name of a figure -> the column of the outcomes that it shows, and how it names that."""
MAPS_A_ROW = 4


class DecisionMap(NamedTuple):
    """Mean decision in cells of SNR x availability.

    Attributes:
        snr_db: float [X + 1], edges of the cells in dB.
        availability: float [Y + 1], edges of the cells in (0, 1].
        mean_split: float [Y, X], denoising steps at the edge; NaN where a cell was never visited.
    """

    snr_db: NDArray[np.float64]
    availability: NDArray[np.float64]
    mean_split: NDArray[np.float64]


def decision_map(
    snr_db: NDArray[np.floating], availability: NDArray[np.floating], split: NDArray[np.number], cells: int = 10
) -> DecisionMap:
    """Average decisions, denoising steps at the edge in states [N], in cells of equal width.

    Raises:
        ValueError: no decision, or arrays of different lengths.
    """
    if not len(snr_db) or not len(snr_db) == len(availability) == len(split):
        raise ValueError(f"need arrays of one length > 0, got {len(snr_db)}, {len(availability)}, {len(split)}")
    mean, y_edges, x_edges, _ = binned_statistic_2d(availability, snr_db, split, "mean", cells)
    return DecisionMap(x_edges, y_edges, mean)


@house_style()
def draw_decision_maps(maps: Mapping[str, DecisionMap], num_inference_steps: int) -> Figure:
    """The maps of several policies side by side on one colour scale up to T."""
    figure, panels = subplots(1.2 + 2.7 * len(maps), 2.9, 1, len(maps), sharey=True, squeeze=False)
    for panel, (name, (snr_db, availability, mean_split)) in zip(panels[0], maps.items(), strict=True):
        mesh = panel.pcolormesh(snr_db, availability, mean_split, cmap="viridis", vmin=0, vmax=num_inference_steps)
        panel.set(title=label_of(name), xlabel=SNR_LABEL)
        panel.grid(visible=False)
    panels[0, 0].set_ylabel(PACR_LABEL)
    colour_bar(figure, mesh, panels, "Mean split (edge steps)")
    return figure


def to_image(figure: Figure) -> NDArray[np.uint8]:
    """The pixels of a figure, uint8 [H, W, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]


def state_figures(results: Mapping[str, Outcomes], num_inference_steps: int, bins: int) -> Iterator[tuple[str, Figure]]:
    """Every measure over every state, and the decision maps of the policies that decide, by name.

    Args:
        results: label -> outcomes on the same requests.
        num_inference_steps: T.
        bins: points along each state.
    """
    for name in MEASURES:
        yield name, draw_measure(results, name, bins)
    # A policy that always does the same has no map worth drawing.
    maps = {
        label: decision_map(own["snr_db"], own["edge_availability"], own["split"])
        for label, own in results.items()
        if label != "random" and np.ptp(own["split"]) > 0
    }
    if maps:
        yield "decision_map", draw_decision_maps(maps, num_inference_steps)


@house_style()
def draw_measure(results: Mapping[str, Outcomes], name: str, bins: int) -> Figure:
    """One panel a state: means of every policy with 95 % bootstrap bands."""
    column, label = MEASURES[name]
    figure, panels = subplots(7.2, 3.2, 1, len(STATES), sharey=True)
    for panel, (state, state_label) in zip(panels, STATES.items(), strict=True):
        for position, (policy, own) in enumerate(results.items()):
            edges = np.histogram_bin_edges(own[state], bins)
            means = binned_means(own[state], own[column], crossed(own), edges)
            draw_line(panel, means.centre, means.mean, means.low, means.high, **line_style(policy, position))
        panel.set_xlabel(state_label)
    panels[0].set_ylabel(label)
    panels[0].set_ylim(bottom=0)
    if name == "split":
        panels[0].yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center", handlelength=2.6)
    return figure


@house_style()
def draw_interquartile_means(rows: Sequence[NumberRow]) -> Figure:
    """Interquartile means with their intervals and plain means, one panel a scenario.

    Args:
        rows: of `agents.reports.numbers.aggregate_rows`.
    """
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    leading = ALL if ALL in scenarios else scenarios[0]
    order = {row["policy"]: row["iqm"].mean for row in rows} | {
        row["policy"]: row["iqm"].mean for row in rows if row["scenario"] == leading
    }
    given = list(order)  # as the other figures count them, so that a stranger has one colour
    policies = sorted(order, key=lambda policy: order[policy])
    columns = min(len(scenarios), 3)
    lines = -(-len(scenarios) // columns)
    height = lines * (0.7 + 0.24 * len(policies))
    figure, grid = subplots(2.2 + 2.5 * columns, height, lines, columns, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    for panel, scenario in zip(panels, scenarios, strict=False):
        for row in (row for row in rows if row["scenario"] == scenario):
            place, iqm = policies.index(row["policy"]), row["iqm"]
            colour = line_style(row["policy"], given.index(row["policy"]))["color"]
            panel.plot([iqm.low, iqm.high], [place, place], color=colour, linewidth=5, alpha=0.35)
            panel.plot(iqm.mean, place, marker="|", markersize=10, markeredgewidth=2, color=colour)
            panel.plot(row["mean"], place, marker="o", markersize=3.5, markerfacecolor="white", color=colour)
        panel.set(yticks=range(len(policies)), yticklabels=[label_of(policy) for policy in policies])
        panel.set_ylim(-0.6, len(policies) - 0.4)
        if len(scenarios) > 1:
            panel.set_title("All scenarios" if scenario == ALL else scenario)
    for panel in panels[len(scenarios) :]:
        panel.set_visible(False)
    figure.supxlabel("Satisfaction: interquartile mean (bar, 95 %) and mean (circle)", fontsize=9)
    return figure


@house_style()
def draw_improvement(rows: Sequence[NumberRow]) -> Figure:
    """The chance that the policy of a row of the picture does better than that of a column.

    Args:
        rows: of `agents.reports.numbers.improvement_rows`.
    """
    won: dict[str, list[float]] = {}
    for row in rows:
        won.setdefault(row["policy"], []).append(row["probability"].mean)
    policies = sorted(won, key=lambda policy: -float(np.mean(won[policy])))
    size = len(policies)
    values = np.full((size, size), np.nan)
    for row in rows:
        values[policies.index(row["policy"]), policies.index(row["baseline"])] = row["probability"].mean
    labels = [label_of(policy) for policy in policies]
    figure, panel = subplots(2.6 + 0.5 * size, 1.5 + 0.36 * size)
    mesh = panel.imshow(values, cmap="RdBu", vmin=0, vmax=1, aspect="auto")
    write_cells(panel, range(size), range(size), values, "{:.2f}", abs(values - 0.5) > 0.35, size=7)
    panel.set_xticks(range(size), labels, rotation=35, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(size), labels)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    of = "sessions on the same requests" if rows[0]["compared"] == "paired sessions" else "pairs of runs"
    colour_bar(figure, mesh, panel, f"Row better than column\n(share of {of})")
    return figure


@house_style()
def draw_profiles(profiles: Mapping[str, PerformanceProfile], of_runs: bool) -> Figure:
    """Share of scores, of training runs or of sessions, above a threshold, with pointwise 95 % bands."""
    scored = "training runs" if of_runs else "sessions"
    figure, panel = subplots(7.2, 3.4)
    for position, (policy, each) in enumerate(profiles.items()):
        style = line_style(policy, position)
        draw_line(panel, each.threshold, each.share, each.low, each.high, markevery=10, **style)
    panel.set(xlabel="Satisfaction τ", ylabel=f"Share of {scored} with more than τ", xlim=(0, 1), ylim=(0, 1.02))
    figure.legend(loc="outside right center", handlelength=2.6)
    return figure


@house_style()
def draw_cell_maps(maps: Mapping[str, CellMeans]) -> Figure:
    """Satisfaction of every policy in the same cells of SNR x PACR, on one colour scale, with the numbers."""
    columns = min(len(maps), MAPS_A_ROW)
    lines = -(-len(maps) // columns)
    figure, grid = subplots(
        0.9 + 2.5 * columns, 0.5 + 2.1 * lines, lines, columns, sharex=True, sharey=True, squeeze=False
    )
    panels = grid.ravel()
    for panel, (policy, each) in zip(panels, maps.items(), strict=False):
        mesh = panel.pcolormesh(each.x_edges, each.y_edges, each.mean, cmap="viridis", vmin=0, vmax=1)
        across, up = ((edges[1:] + edges[:-1]) / 2 for edges in (each.x_edges, each.y_edges))
        write_cells(panel, across, up, 100 * each.mean, "{:.0f}", each.mean <= 0.6)
        panel.set_title(label_of(policy))
    for panel in panels[len(maps) :]:
        panel.set_visible(False)
    for panel in panels[max(len(maps) - columns, 0) : len(maps)]:  # the lowest one of each column
        panel.tick_params(labelbottom=True)
    figure.supxlabel(SNR_LABEL, fontsize=9)
    figure.supylabel(PACR_LABEL, fontsize=9)
    colour_bar(figure, mesh, list(panels), "Satisfaction (numbers: per cent)")
    return figure
