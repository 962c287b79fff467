"""Satisfaction, latency and mean split of every policy, over SNR and available compute, and their decision maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.stats import binned_statistic_2d

from agents.evaluation.statistics import BinnedMeans, binned_means
from agents.reports.style import house_style, label_of, line_style, save_figure


@dataclass(frozen=True)
class DecisionMap:
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
    """Average decisions in cells of equal width.

    Args:
        snr_db, availability: float [N], the state of each decision.
        split: [N], denoising steps at the edge.
        cells: cells along each axis.

    Returns:
        The map.

    Raises:
        ValueError: no decision, or arrays of different lengths.
    """
    if not len(snr_db) or not len(snr_db) == len(availability) == len(split):
        raise ValueError(f"need arrays of one length > 0, got {len(snr_db)}, {len(availability)}, {len(split)}")
    mean, y_edges, x_edges, _ = binned_statistic_2d(availability, snr_db, split, "mean", cells)
    return DecisionMap(x_edges, y_edges, mean)


def draw_decision_maps(maps: dict[str, DecisionMap], num_inference_steps: int) -> Figure:
    """Draw the maps of several policies side by side on one colour scale.

    Args:
        maps: policy name -> map.
        num_inference_steps: T, the top of the colour scale.

    Returns:
        A figure that no window holds.
    """
    with house_style():
        figure = Figure(figsize=(1.2 + 2.7 * len(maps), 2.9), layout="constrained")
        axes = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
        for axis, (name, map_) in zip(axes, maps.items(), strict=True):
            mesh = axis.pcolormesh(
                map_.snr_db, map_.availability, map_.mean_split, cmap="viridis", vmin=0, vmax=num_inference_steps
            )
            axis.set(title=label_of(name), xlabel="SNR (dB)")
            axis.grid(visible=False)
        axes[0].set_ylabel("Edge availability (PACR)")
        bar = figure.colorbar(mesh, ax=axes, label="Mean split (edge steps)")
        bar.outline.set_visible(False)
    return figure


def to_image(figure: Figure) -> NDArray[np.uint8]:
    """The pixels of a figure, uint8 [H, W, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]


Outcomes = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Axis:
    """A column of the outcomes and how a figure names it."""

    column: str
    label: str


STATES = (Axis("snr_db", "SNR (dB)"), Axis("edge_availability", "Edge availability (PACR)"))
MEASURES = {
    "satisfaction": Axis("reward", "Satisfaction"),
    "latency": Axis("latency_s", "Latency (s)"),
    "split": Axis("split", "Mean split (steps at the edge)"),
}


def write_figures(results: Mapping[str, Outcomes], folder: Path, num_inference_steps: int, bins: int = 7) -> list[Path]:
    """Draw every measure over every state, and the decision maps of the policies that decide.

    Args:
        results: label -> outcomes on the same requests.
        folder: where the files go.
        num_inference_steps: T.
        bins: points along each state.

    Returns:
        The files written, PNG and PDF of each figure.
    """
    written: list[Path] = []
    for name, measure in MEASURES.items():
        written += save_figure(draw_measure(results, measure, bins), folder / name)
    # A policy that always does the same has no map worth drawing.
    deciding = {label: outcomes for label, outcomes in results.items() if np.ptp(outcomes["split"]) > 0}
    deciding.pop("random", None)
    if deciding:
        maps = {
            label: decision_map(outcomes["snr_db"], outcomes["edge_availability"], outcomes["split"])
            for label, outcomes in deciding.items()
        }
        written += save_figure(draw_decision_maps(maps, num_inference_steps), folder / "decision_map")
    return written


def draw_measure(results: Mapping[str, Outcomes], measure: Axis, bins: int) -> Figure:
    """One panel a state: means of every policy with 95 % bootstrap bands."""
    with house_style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        panels = figure.subplots(1, len(STATES), sharey=True)
        for panel, state in zip(panels, STATES, strict=True):
            for position, (label, outcomes) in enumerate(results.items()):
                _draw_line(panel, label, position, _binned(outcomes, state, measure, bins))
            panel.set_xlabel(state.label)
        panels[0].set_ylabel(measure.label)
        panels[0].set_ylim(bottom=0)
        if measure.column == "split":
            panels[0].yaxis.set_major_locator(MaxNLocator(integer=True))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", handlelength=2.6)
    return figure


def _binned(outcomes: Outcomes, state: Axis, measure: Axis, bins: int) -> BinnedMeans:
    edges = np.histogram_bin_edges(outcomes[state.column], bins)
    return binned_means(outcomes[state.column], outcomes[measure.column], outcomes["episode"], edges)


def _draw_line(panel: Axes, label: str, position: int, means: BinnedMeans) -> None:
    style = line_style(label, position)
    panel.plot(means.centre, means.mean, label=label_of(label), **style)  # type: ignore[arg-type]
    panel.fill_between(means.centre, means.low, means.high, color=style["color"], alpha=0.15, linewidth=0)
