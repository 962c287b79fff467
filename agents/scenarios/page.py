"""`docs/scenarios.md`: what each scenario is, looks like and asks."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from agents.scenarios.measure import LABELS, Measured
from agents.statistics import Interval

INTRODUCTION = """# Scenarios

How links, devices and requests vary from one request to the next. Each is one file of `envs/scenario` and one of
`configs/scenario`; how to add one is shown in [extending.md](extending.md).

    gymnasium.make("envs:SemAIGC/Queue-v0")                     # a registered id
    gymnasium.make("envs:SemAIGC/Split-v0", scenario="queue")   # or by name, or a mapping with what differs:
    gymnasium.make("envs:SemAIGC/Split-v0", scenario={{"name": "queue", "interval_s": 6.0}})
    python train.py scenario=queue scenario.interval_s=6

`python -m agents.scenarios` measured the tables and drew the pictures below. All policies of a table serve the same
{num_requests:,} requests; ± is half of a 95 % bootstrap interval over sessions, differences are paired. The rule of
two plans switches on the edge's compute or on what the scenario adds to the observation, and knows no masks;
it, the best fixed plan and the price were found by serving other requests. The oracle takes the largest expected
reward of the request at hand, on the true state: where decisions do not touch later requests, no policy beats it. In
`queue` and `battery` they do, and the oracle is only myopic: one number, a price on what is scarce, improves on it.
The pictures show {sessions} sessions under the oracle.

How far there is to go in these two, `python evaluate.py +experiment=future` says ([reproduction.md](reproduction.md)
has its figures). It bounds the mean reward of every policy from above, whatever the policy remembers: decisions that
know the links, devices and latency requirements of the whole session, but pay at each request for what that knowledge
is worth. For a policy without it the payments are 0 in the mean, so whatever they are the bound holds; good ones make
it tight, and they come from dynamic programming with fitted values (`agents.planning`). The level, backlog or charge,
is kept on a grid and always rounded to the better side, so the grid widens the bound and cannot break it; what is
estimated is its mean, over sampled sessions, with an interval. Between it and the oracle stand a planner that decides
by the same values and knows the number of the request, the priced oracle, and D3QN without and with a discount, which
do not know the number.
"""


def page(found: Mapping[str, tuple[Any, Measured, str]], num_requests: int, sessions: int) -> str:
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
