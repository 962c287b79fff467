"""`docs/scenarios.md`: what each scenario is, looks like and asks, with sample paths as figures."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from agents.evaluation.standings import LABELS, ScenarioFindings
from agents.evaluation.statistics import Interval
from agents.reports.style import OKABE_ITO, house_style

INTRODUCTION = """# Scenarios

How links, devices and requests vary from one request to the next. Each is one file of `envs/scenario` and one of
`configs/scenario`; how to add one is shown in [extending.md](extending.md).

    gymnasium.make("envs:SemAIGC/Queue-v0")                     # a registered id
    gymnasium.make("envs:SemAIGC/Split-v0", scenario="queue")   # or by name, or a mapping with what differs:
    gymnasium.make("envs:SemAIGC/Split-v0", scenario={{"name": "queue", "interval_s": 6.0}})
    python train.py scenario=queue scenario.interval_s=6

`python -m agents scenarios` measured the tables and drew the pictures below. All policies of a table serve the same
{num_requests:,} requests; ± is half of a 95 % bootstrap interval over sessions, differences are paired. The rule of
two plans switches on the edge's compute or on what the scenario adds to the observation, and knows no masks;
it, the best fixed plan and the price were found by serving other requests. The oracle takes the largest expected
reward of the request at hand, on the true state: where decisions do not touch later requests, no policy beats it. In
`queue` and `battery` they do, and the oracle is only myopic: one number, a price on what is scarce, improves on it.
The pictures show {sessions} sessions under the oracle.

How far there is to go in these two, `python evaluate.py experiment=future` says ([reproduction.md](reproduction.md)
has its figures). It bounds the mean reward of every policy from above, whatever the policy remembers: decisions that
know the links, devices and latency requirements of the whole session, but pay at each request for what that knowledge
is worth. For a policy without it the payments are 0 in the mean, so whatever they are the bound holds; good ones make
it tight, and they come from dynamic programming with fitted values (`agents.planning`). The level, backlog or charge,
is kept on a grid and always rounded to the better side, so the grid widens the bound and cannot break it; what is
estimated is its mean, over sampled sessions, with an interval. Between it and the oracle stand a planner that decides
by the same values and knows the number of the request, the priced oracle, and D3QN without and with a discount, which
do not know the number.
"""


def page(found: Mapping[str, tuple[Any, ScenarioFindings, str]], num_requests: int, sessions: int) -> str:
    """The page in Markdown.

    Args:
        found: id of an environment -> (parameters of its scenario, what was measured, link to its picture).
        num_requests: that each policy served.
        sessions: in a picture.
    """
    lines = [INTRODUCTION.format(num_requests=num_requests, sessions=sessions)]
    lines += [
        "| id | scenario | oracle over two plans | two plans over one | price over oracle |",
        "|---|---|---|---|---|",
    ]
    for name, (params, measured, _) in found.items():
        price = "–" if measured.price_over_oracle is None else _signed(measured.price_over_oracle)
        lines.append(
            f"| `{name}` | [{params.NAME}](#{params.NAME}) | {_signed(measured.over_rule)} | "
            f"{_signed(measured.over_fixed)} | {price} |"
        )
    for name, (params, measured, picture) in found.items():
        lines += ["", f"## {params.NAME}", "", _description(params), ""]
        lines += [f"`{name}`, `configs/scenario/{params.NAME}.yaml`", "", f"![Sample paths]({picture})", ""]
        lines += [
            "| policy | decides | satisfaction | over two plans | failed | latency | mean split |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in measured.rows:
            over = "–" if row.policy == "two_plans" else _signed(row.over_two_plans)
            lines.append(
                f"| {LABELS[row.policy]} | {row.decides} | {_plain(row.satisfaction)} | {over} | {row.failed:.1%} | "
                f"{row.latency_s:.1f} s | {row.split:.1f} |"
            )
        if measured.is_degenerate:
            lines += ["", "Degenerate: no policy here beats the best rule of two plans."]
    return "\n".join(lines) + "\n"


def _description(params: Any) -> str:
    """The docstring of the parameters up to its sections."""
    text = inspect.cleandoc(type(params).__doc__ or "")
    for section in ("Source:", "Deviation:", "Attributes:", "Raises:"):
        text = text.partition(f"\n{section}")[0]
    return text.strip()


def _plain(value: Interval) -> str:
    return f"{value.mean:.3f} ± {(value.high - value.low) / 2:.3f}"


def _signed(value: Interval) -> str:
    return f"{value.mean:+.3f} ± {(value.high - value.low) / 2:.3f}"


PANELS = {
    "snr_db": ("SNR (dB)", 1.0),
    "bandwidth_hz": ("Bandwidth (MHz)", 1e-6),
    "edge_availability": ("Edge (PACR)", 1.0),
    "backlog_s": ("Backlog (s)", 1.0),
    "battery_j": ("Battery (kJ)", 1e-3),
    "cached": ("Model at the edge", 1.0),
    "split": ("Edge steps (oracle)", 1.0),
}
"""Quantity -> label, and factor to its unit."""

YES_OR_NO = ("cached",)
APART = 0.05
"""Between the lines of two sessions that would hide each other."""

LABELS_PAD = 0.1
"""Inches at the sides: aligned labels need more room than the layout measures."""

MHZ_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def draw_paths(paths: Mapping[str, NDArray], title: str) -> Figure:
    """Draw quantities of several sessions over the requests.

    Args:
        paths: name -> [requests, sessions], see `agents.commands.scenarios.sample_paths`.
        title: of the figure.

    Returns:
        A figure that no window holds.
    """
    shown = [name for name in PANELS if name in paths]
    with house_style():
        figure = Figure(figsize=(7.2, 0.5 + 1.15 * len(shown)), layout=ConstrainedLayoutEngine(w_pad=LABELS_PAD))
        axes = figure.subplots(len(shown), 1, sharex=True)
        for axis, name in zip(axes, shown, strict=True):
            label, factor = PANELS[name]
            for session, values in enumerate(paths[name].T):
                colour = OKABE_ITO[session % len(OKABE_ITO)]
                shown_values = factor * values + (APART * session if name in YES_OR_NO else 0.0)
                axis.step(range(1, len(values) + 1), shown_values, where="mid", color=colour, linewidth=1.1)
            axis.set_ylabel(label, fontsize=7.5)
            if name in YES_OR_NO:
                axis.set_yticks([0, 1], ["no", "yes"])
            if name == "bandwidth_hz":
                axis.set_yscale("log")
                low, high = factor * paths[name].min(), factor * paths[name].max()
                ticks = [tick for tick in MHZ_TICKS if low <= tick <= high]
                axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
                axis.yaxis.set_minor_formatter(NullFormatter())
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[-1].set_xlabel("Request of the session")
        axes[0].set_title(title)
        figure.align_ylabels(axes)
    return figure
