"""One look for all figures: a colour-blind palette, one style per policy everywhere, PNG and PDF."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito, "Color universal design" (2008): eight colours that stay apart for colour-blind readers.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
GREY = "#7F7F7F"

LABELS = {
    "oracle": "Oracle",
    "oracle_bound": "Oracle bound",
    "planner": "Planner",
    "planner_bound": "Planner bound",
    "clairvoyant": "Clairvoyant",
    "model_based_estimated": "Oracle, estimated",
    "root": "ROOT",
    "d3qn": "D3QN (this run)",
    "dqn": "DQN (this run)",
    "ppo": "PPO (this run)",
    "a2c": "A2C (this run)",
    "qrdqn": "QR-DQN (this run)",
    "maskable_ppo": "Maskable PPO",
    "d2sac": "D2SAC (this run)",
    "linucb": "LinUCB (this run)",
    "learning": "Learning agent",
    "best_fixed": "Best fixed split",
    "two_split": "Two-split rule",
    "non_root": "Non-ROOT",
    "edge": "Edge AIGC",
    "local": "Local AIGC",
    "non_finetuning": "Non-fine-tuning",
    "random": "Random",
}
_STYLES: dict[str, tuple[str, str, str]] = {
    "root": (OKABE_ITO[0], "-", "o"),
    "oracle": (OKABE_ITO[6], "--", ""),
    "oracle_bound": ("0.45", "-.", ""),
    "planner": ("#332288", "-", "*"),
    "planner_bound": ("#332288", "-.", ""),
    "clairvoyant": (GREY, "--", ""),
    "two_split": (OKABE_ITO[2], "-.", "s"),
    "best_fixed": (OKABE_ITO[4], "-.", "^"),
    "non_root": (OKABE_ITO[1], ":", "D"),
    "edge": (OKABE_ITO[3], ":", "v"),
    "local": (OKABE_ITO[5], ":", "<"),
    "non_finetuning": ("#882255", ":", "P"),
    "random": (GREY, ":", "x"),
}
_SETTINGS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the house settings, in a block or a whole function; matplotlib's global ones come back afterwards."""
    with mpl.rc_context(_SETTINGS):
        yield


def label_of(policy: str) -> str:
    """The name of a policy in figures and tables: that of the papers where there is one."""
    return LABELS.get(policy, policy)


def colour_of(position: int) -> str:
    """A colour for each position, again from the start after eight."""
    return OKABE_ITO[position % len(OKABE_ITO)]


def line_style(policy: str, position: int = 0) -> dict[str, Any]:
    """Keywords of `Axes.plot` for one policy, its label among them; unknown policies take a colour by `position`."""
    colour, line, marker = _STYLES.get(policy, (colour_of(position), "-", "h"))
    return {"color": colour, "linestyle": line, "marker": marker, "label": label_of(policy)}


def save_figure(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write a figure as `path.png` and `path.pdf`, the two paths; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.parent / f"{path.name}.png", path.parent / f"{path.name}.pdf"
    with house_style():
        figure.savefig(written[0], bbox_inches="tight")
        # The date is left out, so that the same numbers give the same file.
        figure.savefig(written[1], bbox_inches="tight", metadata={"CreationDate": None})
    return written
