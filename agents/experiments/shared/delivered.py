"""What users see: the live transceiver's images under every framework, with their quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from agents.evaluation.statistics import column_intervals
from agents.experiments.shared.findings import Row
from agents.experiments.shared.learning import root_of
from agents.experiments.shared.states import sample_states
from agents.experiments.shared.study import ImageOptions, Study
from agents.reports.style import house_style, label_of
from envs.transceiver import Request, metrics_against

METRICS = ("psnr_db", "ssim", "alignment")
Images = NDArray[np.float32]


class System(NamedTuple):
    """A framework with its receiver; None where no receiver takes a step."""

    framework: str
    receiver: str | None

    @property
    def label(self) -> str:
        """How figures and tables call it."""
        name = "Edge and Local" if self.framework == "edge" else label_of(self.framework)
        return name if self.receiver is None else f"{name}, {self.receiver}"


@dataclass(frozen=True)
class DeliveredImages:
    """Images of B requests under one scheme at one SNR.

    Attributes:
        split: steps at the edge.
        images: float32 [B, 3, H, W] in [0, 1].
        quality: metric -> float64 [B]; PSNR and SSIM against the noise-free image of the same request.
    """

    split: int
    images: Images
    quality: Mapping[str, NDArray[np.float64]]

    def mean(self, metric: str) -> float:
        """Mean quality over the requests."""
        return float(self.quality[metric].mean())


def quality_rows(sheet: Mapping[tuple[System, float], DeliveredImages]) -> list[Row]:
    """Mean quality of every scheme at every SNR, with intervals over requests: each has one channel draw."""
    rows: list[Row] = []
    for (scheme, snr_db), each in sheet.items():
        means = column_intervals(np.stack(list(each.quality.values()), axis=1))
        place = {"framework": scheme.framework, "receiver": scheme.receiver or "", "snr_db": snr_db}
        rows.append(place | {"split": each.split} | dict(zip(each.quality, means, strict=True)))
    return rows


def caption_of(scheme: System, each: DeliveredImages, index: int) -> str:
    """Split and PSNR of one image; Edge's is the noise-free one that the others are measured by."""
    quality = "noise-free" if scheme == EDGE else f"{each.quality['psnr_db'][index]:.1f} dB"
    return f"split {each.split} · {quality}"


EDGE = System("edge", None)
"""Edge and Local deliver the same image: that of the generator, error-free."""


def rivals_of(receiver: str) -> dict[str, System]:
    """The frameworks that SemAIGC is to outperform, by name."""
    return {"non_root": System("non_root", receiver), "non_finetuning": System("non_finetuning", None)}


def schemes_of(receivers: Sequence[str]) -> tuple[System, ...]:
    """The frameworks of figures 4 and 5."""
    shared = [System(name, receiver) for name in ("root", "non_root") for receiver in receivers]
    return (*shared, System("non_finetuning", None), EDGE)


class Frameworks:
    """Runs the frameworks on the live transceiver, with the first requests of those that policies are judged on."""

    def __init__(self, study: Study, options: ImageOptions) -> None:
        self.study, self.options = study, options
        self.requests: tuple[Request, ...] = study.part.requests[: options.num_requests]
        self.transceiver = study.live_transceiver()
        self._reference = self._generate(study.num_inference_steps, None, "ignore")

    @property
    def note(self) -> str:
        """What a reader of the pictures must know."""
        pacr = self.options.edge_availability
        return f"ROOT decides at PACR {pacr:g} with everything else in the middle of the scenario."

    def deliver(self, scheme: System, snr_db: float) -> DeliveredImages:
        """All requests under one scheme at one SNR."""
        steps = self.study.num_inference_steps
        if scheme == EDGE:
            return self._judged(steps, self._reference)
        if scheme.receiver is None:
            return self._judged(steps, self._generate(steps, snr_db, "ignore"))
        split = self._split_of_root(scheme.receiver, snr_db) if scheme.framework == "root" else steps // 2
        return self._judged(split, self._generate(split, snr_db, scheme.receiver))

    def _split_of_root(self, receiver: str, snr_db: float) -> int:
        """What ROOT decides in the middle of the scenario."""
        pacr = self.options.edge_availability
        state = middle_of(self.study.settings.scenario) | {
            "snr_db": [snr_db, snr_db],
            "edge_availability": [pacr, pacr],
        }
        states = sample_states(self.study.settings_of(receiver, state), 1, self.study.seed)
        return int(states.actions("root", root_of(self.study, receiver, self.options.root))[0])

    def _generate(self, split: int, snr_db: float | None, receiver: str) -> Any:
        prompts, seeds = [each.prompt for each in self.requests], [each.seed for each in self.requests]
        return self.transceiver.generate(prompts, seeds, split, snr_db, receiver)

    def _judged(self, split: int, out: Any) -> DeliveredImages:
        quality = metrics_against(out.images, self._reference.images)
        quality["alignment"] = out.alignment.double().cpu().numpy()
        return DeliveredImages(split, out.images.cpu().numpy(), {name: quality[name] for name in METRICS})


def middle_of(scenario: Any) -> dict[str, list[float]]:
    """Each range of a scenario shrunk to its middle; that of the bandwidth in logarithms, as it is drawn."""
    middle = {}
    for each in fields(scenario):
        if each.name in ("latency_high_ratio", "correlation"):
            continue
        low, high = getattr(scenario, each.name)
        point = float(np.sqrt(low * high)) if each.name == "bandwidth_hz" else (low + high) / 2
        middle[each.name] = [point, point]
    return middle


class Tile(NamedTuple):
    """One image of a sheet, [3, H, W] in [0, 1], its caption, and a box (row, column, size in pixels) drawn on it."""

    image: Images
    caption: str = ""
    box: tuple[int, int, int] | None = None


@house_style()
def draw_sheet(rows: Sequence[Sequence[Tile]], row_labels: Sequence[str], column_labels: Sequence[str]) -> Figure:
    """Images in rows and columns, every row and column labelled."""
    figure = Figure(
        figsize=(1.2 + 1.15 * len(rows[0]), 0.3 + 1.32 * len(rows)),
        layout=ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02),
    )
    grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for axes, tiles, row_label in zip(grid, rows, row_labels, strict=True):
        for axis, tile in zip(axes, tiles, strict=True):
            axis.imshow(tile.image.transpose(1, 2, 0), interpolation="nearest")
            axis.set(xticks=[], yticks=[])
            axis.set_xlabel(tile.caption, fontsize=6.5, labelpad=2)
            axis.spines[:].set_visible(False)
            if tile.box is not None:
                top, left, size = tile.box
                axis.add_patch(Rectangle((left - 0.5, top - 0.5), size, size, fill=False, edgecolor="red"))
        axes[0].set_ylabel(row_label, rotation=0, ha="right", va="center", fontsize=8)
    for axis, label in zip(grid[0], column_labels, strict=True):
        axis.set_title(label, fontsize=8)
    return figure
