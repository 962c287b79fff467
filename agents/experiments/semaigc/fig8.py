"""Figure 8: satisfaction over the edge's available compute (PACR) and SNR, and ROOT beside the optimum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.evaluation.statistics import Interval, Margins
from agents.experiments.shared.claims import Claim, Near, order_claim, per_receiver, value_claim
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import FIXED, FRAMEWORKS, sample_states, share_of
from agents.experiments.shared.study import StateOptions, Study
from agents.reports.drawing import PACR_LABEL, SNR_LABEL, colour_bar, draw_cells, subplots
from agents.reports.style import house_style, label_of
from envs import SplitSettings
from envs.checks import Points

PAPER_LOW, PAPER_HIGH, PAPER_HARSH = Near(0.45, 0.05), Near(0.98, 0.05), Near(0.70, 0.05)
"""Satisfaction: the least and the most of the map, and that at -6 dB with ample compute."""
SPAN, TOLERANCE, ORACLE_SHARE = 0.4, 0.03, 0.98
SCARCE_PACR, OVER_EDGE = 0.25, 0.40
EVERYTHING: Mapping[str, float | str] = {"metric": "alignment", "least": -1.0}
"""The rule that accepts every image."""

Options = StateOptions

Cell = tuple[int, int]
"""Of the grid: PACR, SNR."""


@dataclass(frozen=True)
class Grid:
    """Satisfaction of every policy in every state.

    Attributes:
        snr_db, edge_availability: points.
        rewards: policy -> margins [PACR, SNR].
        flawless: cell -> satisfaction of the optimum were every image accepted at once, for the cells that explain.
    """

    snr_db: Points
    edge_availability: Points
    rewards: dict[str, Margins]
    flawless: dict[Cell, float]

    def mean(self, policy: str) -> NDArray[np.float64]:
        """Mean satisfaction in the cells, [PACR, SNR]."""
        return self.rewards[policy].mean

    def share_of_bound(self) -> NDArray[np.float64]:
        """ROOT over `oracle_bound`, [PACR, SNR]."""
        return share_of(self.mean("root"), self.mean("oracle_bound"))

    def lost_percent(self) -> NDArray[np.float64]:
        """How much less than `oracle_bound` ROOT satisfies, in per cent, [PACR, SNR]."""
        return 100 * (1 - self.share_of_bound())

    def ends(self) -> tuple[Cell, Cell, Cell]:
        """The cells where ROOT satisfies least and most, and that of the lowest SNR and the most compute."""
        harshest = int(np.argmax(self.edge_availability)), int(np.argmin(self.snr_db))
        return _lowest(self.mean("root")), _lowest(-self.mean("root")), harshest

    def where(self, index: Cell) -> str:
        """A cell in words."""
        row, column = index
        return f"PACR {self.edge_availability[row]:g}, {self.snr_db[column]:g} dB"


def _lowest(values: NDArray[np.float64]) -> Cell:
    row, column = np.unravel_index(values.argmin(), values.shape)
    return int(row), int(column)


def run(study: Study, options: Options) -> Findings:
    """Measure every framework and the exact optimum in every cell."""
    grids = {receiver: _grid(study, options, receiver) for receiver in study.measured_receivers(options.receivers)}
    return Findings(
        "Figure 8: satisfaction over PACR and SNR",
        {"": _draw(grids)},
        {"": named_rows("receiver", grids, _rows)},
        per_receiver(grids, _claims),
        study.notes,
    )


def _grid(study: Study, options: Options, receiver: str) -> Grid:
    root = root_of(study, receiver, options.root)
    shape = len(options.edge_availability), len(options.snr_db)
    policies, cells = (*FRAMEWORKS, "oracle_bound"), list(np.ndindex(shape))
    found: list[dict[str, Margins]] = []
    for i, j in tqdm(cells, desc=f"receiver {receiver}", unit="cell", leave=False):
        states = sample_states(_settings(study, options, receiver, (i, j)), options.num_states, study.seed)
        found.append(states.margins({policy: states.actions(policy, root) for policy in policies}))
    rewards = {policy: _grid_of([cell[policy] for cell in found], shape) for policy in policies}
    grid = Grid(options.snr_db, options.edge_availability, rewards, {})
    for cell in set(grid.ends()):
        # The same states where every image is accepted at once: what latency alone allows.
        settings = replace(_settings(study, options, receiver, cell), acceptance=EVERYTHING)
        states = sample_states(settings, options.num_states, study.seed)
        grid.flawless[cell] = float(states.split_rewards.max(axis=1).mean())
    return grid


def _grid_of(cells: list[Margins], shape: tuple[int, int]) -> Margins:
    """Margins [PACR, SNR] of those of the cells, row by row."""
    margins = (np.stack([getattr(cell, name) for cell in cells]) for name in ("by_state", "by_request"))
    return Margins(*(each.reshape(*shape, -1) for each in margins))


def _settings(study: Study, options: Options, receiver: str, cell: Cell) -> SplitSettings:
    pacr, snr_db = options.edge_availability[cell[0]], options.snr_db[cell[1]]
    return study.settings_of(receiver, {"edge_availability": [pacr, pacr], "snr_db": [snr_db, snr_db]})


def _claims(grid: Grid) -> list[Claim]:
    oracle = grid.mean("oracle_bound")
    low, high, harsh = grid.ends()
    root = {cell: grid.rewards["root"][cell].interval() for cell in {low, high, harsh}}
    span = (grid.rewards["root"][high] - grid.rewards["root"][low]).interval()
    limits = (
        f"the optimum reaches {oracle[low]:.2f} and {oracle[high]:.2f} in these cells, and "
        f"{grid.flawless[low]:.2f} and {grid.flawless[high]:.2f} if every image were accepted at once"
    )
    harsh_text = f"{root[harsh].text('.2f')} at {grid.where(harsh)}"
    harsh_why = f"the optimum reaches {oracle[harsh]:.2f} there, {grid.flawless[harsh]:.2f} without rejects"
    least = PAPER_HARSH.stated
    return [
        value_claim(
            "paper",
            f"satisfaction from about {PAPER_LOW.stated:g} to {PAPER_HIGH.stated:g} over the map",
            f"{root[low].text('.2f')} ({grid.where(low)}) to {root[high].text('.2f')} ({grid.where(high)})",
            [(PAPER_LOW, root[low]), (PAPER_HIGH, root[high])],
            limits,
        ),
        order_claim("project", f"satisfaction spans more than {SPAN}", span.text(".2f"), [span], limits, above=SPAN),
        value_claim(
            "paper", f"about {least:g} at -6 dB with ample compute", harsh_text, [(PAPER_HARSH, root[harsh])], harsh_why
        ),
        order_claim(
            "project",
            f"above {least:g} at -6 dB with ample compute",
            harsh_text,
            [root[harsh]],
            harsh_why,
            above=least,
        ),
        _never_far_below(grid),
        _above_each(grid),
        _above_edge(grid),
        _near_the_bound(grid),
    ]


def _never_far_below(grid: Grid) -> Claim:
    gaps = {policy: (grid.rewards["root"] - grid.rewards[policy]).intervals() for policy in FIXED}
    every = [(gap, policy, index) for policy, own in gaps.items() for index, gap in enumerate(own)]
    worst, policy, index = min(every, key=lambda each: each[0].mean)
    cell = divmod(index, len(grid.snr_db))  # they go row by row
    below = sum(gap.mean < -TOLERANCE for gap, *_ in every)
    oracle = float((grid.mean("oracle_bound") - grid.mean(policy))[cell])
    return order_claim(
        "project",
        f"in no cell is ROOT below a fixed framework by {TOLERANCE} or more",
        f"worst {worst.text('+.3f')} against {label_of(policy)} at {grid.where(cell)}; {below} of {len(every)} "
        "comparisons are below the bar",
        [gap for gap, *_ in every],
        f"the best split of SemAIGC itself is {oracle:+.3f} against {label_of(policy)} in that cell",
        above=-TOLERANCE,
    )


def _above_each(grid: Grid) -> Claim:
    gains = {policy: _over_cells(grid.rewards["root"] - grid.rewards[policy]) for policy in FIXED}
    return order_claim(
        "project",
        "on average over the cells ROOT is above each fixed framework",
        ", ".join(f"{gain.mean:+.3f} over {label_of(policy)}" for policy, gain in gains.items()),
        gains.values(),
        "the interval of at least one difference includes 0 or lies below it",
    )


def _above_edge(grid: Grid) -> Claim:
    stated = f"at PACR up to {SCARCE_PACR} more than {OVER_EDGE} above Edge"
    scarce = np.asarray(grid.edge_availability) <= SCARCE_PACR
    if not scarce.any():
        return order_claim("project", stated, "no such cell in the grid", [], above=OVER_EDGE)
    gain = _over_cells((grid.rewards["root"] - grid.rewards["edge"])[scarce])
    best = float((grid.mean("oracle_bound") - grid.mean("edge"))[scarce].mean())
    why = f"the optimum itself is {best:+.3f} above Edge there"
    return order_claim("project", stated, gain.text("+.3f"), [gain], why, above=OVER_EDGE)


def _near_the_bound(grid: Grid) -> Claim:
    share = grid.share_of_bound()
    cell = _lowest(share)
    below = int((share < ORACLE_SHARE).sum())
    lost = grid.mean("oracle_bound") - grid.mean("root")
    return order_claim(
        "project",
        f"ROOT has more than {ORACLE_SHARE:.0%} of the exact optimum on the same requests in every cell",
        f"lowest {share[cell]:.1%} at {grid.where(cell)}; mean {share.mean():.1%}; {below} of {share.size} cells below",
        (grid.rewards["root"] - grid.rewards["oracle_bound"] * ORACLE_SHARE).intervals(),
        f"the largest loss of satisfaction in a cell is {lost.max():.3f}, the mean one {lost.mean():.4f}",
    )


def _over_cells(values: Margins) -> Interval:
    """Mean over cells, states and requests; cells share the luck of the other two, which are what is resampled."""
    return values.over_first().interval()


@house_style()
def _draw(grids: Mapping[str, Grid]) -> Figure:
    figure, panels = subplots(7.6, 0.4 + 3.2 * len(grids), len(grids), 2, squeeze=False, sharex=True, sharey=True)
    most = max(1.0, *(float(grid.lost_percent().max()) for grid in grids.values()))
    for row, (receiver, grid) in zip(panels, grids.items(), strict=True):
        shown = {
            f"Satisfaction of ROOT, receiver {receiver}": (grid.mean("root"), 1.0, "viridis"),
            "ROOT below the bound (%)": (grid.lost_percent(), most, "cividis_r"),
        }
        for panel, (title, (values, highest, colours)) in zip(row, shown.items(), strict=True):
            mesh = draw_cells(
                panel, grid.snr_db, grid.edge_availability, values, "{:.2f}", cmap=colours, vmin=0.0, vmax=highest
            )
            panel.set(title=title, xlabel=SNR_LABEL, xticks=list(grid.snr_db))
            colour_bar(figure, mesh, panel)
        row[0].set_ylabel(PACR_LABEL)
    return figure


def _rows(grid: Grid) -> list[Row]:
    cells = [(pacr, snr_db) for pacr in grid.edge_availability for snr_db in grid.snr_db]
    best = grid.mean("oracle_bound").reshape(-1)
    return [
        {
            "edge_availability": pacr,
            "snr_db": snr_db,
            "policy": policy,
            "satisfaction": mean,
            "relative_to_bound": float(share_of(mean.mean, optimum)),
        }
        for policy, values in grid.rewards.items()
        for (pacr, snr_db), mean, optimum in zip(cells, values.intervals(), best, strict=True)
    ]
