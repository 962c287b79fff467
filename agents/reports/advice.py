"""Advice in words that fit on a screen, and as one picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.stats import binned_statistic_2d

from agents.evaluation.advice import SHOWN, WORTH, Advice
from agents.evaluation.statistics import Interval
from agents.planning.tree import Cut, Leaf, Tree
from agents.reports.drawing import draw_bars, subplots
from agents.reports.style import colour_of, house_style
from envs.plans import Compute, Plan
from envs.transceiver import ACCEPTANCE_RULES

CELLS = 14
"""Of the map, along each axis."""


class Wording(NamedTuple):
    """How a quantity is written: its name, its unit, how many of its values make one of the unit."""

    name: str
    unit: str
    scale: float = 1.0

    @property
    def label(self) -> str:
        """At an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


WORDINGS = {
    "rate_bps": Wording("link", "Mbit/s", 1e6),
    "snr_db": Wording("SNR", "dB"),
    "bandwidth_hz": Wording("bandwidth", "MHz", 1e6),
    "edge_availability": Wording("edge free", "%", 0.01),
    "user_availability": Wording("user free", "%", 0.01),
    "latency_low_s": Wording("wish", "s"),
}
LOGARITHMIC = ("rate_bps", "bandwidth_hz")
BARS = {
    "best_fixed": "best fixed plan",
    "rule": "this rule",
    "opponents": "optimum without splits",
    "splits": "optimum of splits alone",
    "optimum": "optimum of all plans",
}
ENDS = {"edge": "at the edge", "user": "at the user", "cloud": "in the cloud"}


def wording_of(name: str) -> Wording:
    """How a quantity is written; what a scenario shows of its own, as the scenario calls it."""
    return WORDINGS.get(name, Wording(name, ""))


def rule_lines(advice: Advice) -> list[str]:
    """The rule as nested conditions, one a line."""
    return list(_lines(advice, advice.rule, ""))


def plan_words(plan: Plan) -> str:
    """What a plan of one request does, such as "5 steps at the edge, latent sent, 3 steps at the user"."""
    words, last = [], plan.denoising[-1].node
    for stage in plan.stages:
        if isinstance(stage, Compute):
            if stage.module == "vae_decoder" and stage.node != last:
                words.append(f"decoded {ENDS[stage.node]}")
            light = " by the light network" if stage.module == "finetune_light_unet" else ""
            steps = f"{stage.steps} step{'s' * (stage.steps > 1)}"
            words += [f"{steps} {ENDS[stage.node]}{light}"] if stage.denoises else []
        elif not stage.is_backhaul:
            words.append(f"{stage.payload} sent" + (f" as {stage.codec}" if stage.codec else ""))
    return ", ".join(words)


def advice_text(advice: Advice) -> str:
    """All of it: devices, the rule, what it is worth, whether to split."""
    (edge, user, cloud), scenario = advice.devices, advice.settings.scenario
    train, test = advice.num_requests
    plans = {plan.name: plan for plan in advice.plans}
    wide = max(map(len, advice.rule_plans))
    with_cloud = f", {cloud.name} in the cloud" if advice.cloud else ""
    ranges = [_value(name, scenario) for name in WORDINGS if name != "rate_bps"]
    return "\n".join(
        [
            f"{edge.name} and {user.name}: {edge.step_s:.3g} and {user.step_s:.3g} s a step{with_cloud}; "
            f"costs {advice.costs}",
            f"scenario {scenario.NAME}: {', '.join(ranges)}",
            f"link {advice.settings.link}; acceptable: {advice.settings.acceptance_rule}; "
            f"satisfied within the wish, not at all after {scenario.latency_high_ratio:g} times as long",
            "",
            "Which plan to run",
            *(f"  {line}" for line in rule_lines(advice)),
            "",
            *(f"  {name:{wide}}  {plan_words(plans[name])}" for name in advice.rule_plans),
            "",
            f"Satisfaction, 0 to 1 (found on {train} requests, judged on {test} others)",
            *(f"  {_label(advice, name):{_width(advice)}}  {advice.satisfaction[name].text('.3f')}" for name in SHOWN),
            "",
            *_worth_lines(advice),
            *advice.notes,
        ]
    )


def _worth_lines(advice: Advice) -> list[str]:
    """What the rule, any choice by the state, and splitting are worth."""
    gains = advice.gains
    if np.isnan(advice.share.mean):
        return ["No plan satisfies anybody here: what is wished for is faster than any of them."]
    both = [gains["splitting"], gains["splitting_with_cloud"]]
    own, other = reversed(both) if advice.cloud else both
    lines = [
        f"This rule reaches {advice.share.text('.1%')} of the optimum.",
        f"Choosing by the state adds {gains['adaptive'].text('+.3f')} to the best fixed plan,",
        f"this rule {gains['rule'].text('+.3f')}.",
        f"Should you split? {verdict(own)}",
        f"With{'out' * advice.cloud} a cloud beside, it would add {other.text('+.3f')}.",
    ]
    if advice.settings.acceptance_rule.metric != ACCEPTANCE_RULES["alignment"].metric:
        lines.append(
            "An image is compared with the noise-free one of as many steps: fewer steps cost no quality here. "
            "acceptance=alignment judges what the image shows."
        )
    return lines


def verdict(gain: Interval) -> str:
    """Whether what splitting adds is worth its trouble."""
    adds = f"it adds {gain.text('+.3f')} to the best choice without splits"
    if gain.high < WORTH:
        return f"No: {adds}."
    return f"Yes: {adds}." if gain.low >= WORTH else f"Perhaps: {adds}, and {WORTH:g} would be worth it."


@house_style()
def draw_advice(advice: Advice) -> Figure:
    """Where the rule takes which plan, and what it earns beside its opponents."""
    figure, (left, right) = subplots(9.6, 3.6, 1, 2)
    _draw_map(figure, left, advice)
    bars = {
        _label(advice, name, "\n"): (advice.satisfaction[name], "0.35" if name == "rule" else "0.75") for name in SHOWN
    }
    draw_bars(right, bars, gap=0.01)
    right.invert_yaxis()
    right.set(xlabel="Satisfaction (test requests)", xlim=(0.0, 1.1))
    return figure


def _lines(advice: Advice, tree: Tree, pad: str, lead: str = "") -> Iterator[str]:
    """Lines of a tree; `lead` stands before its first condition."""
    if isinstance(tree, Leaf):
        yield f"always {advice.plans[tree.action].name}"
        return
    name = advice.quantities[tree.quantity]
    sides = [("<", tree.below), (">=", tree.above)]
    if isinstance(tree.above, Leaf) and not isinstance(tree.below, Leaf):
        sides.reverse()
    (sign, first), (_, second) = sides
    condition = f"{pad}{lead}if {_condition(name, sign, tree.threshold)}:"
    if isinstance(first, Leaf):
        yield f"{condition} {advice.plans[first.action].name}"
    else:
        yield condition
        yield from _lines(advice, first, f"{pad}    ")
    if isinstance(second, Leaf):
        yield f"{pad}else: {advice.plans[second.action].name}"
    else:
        yield from _lines(advice, second, pad, "else ")


def _condition(name: str, sign: str, threshold: float) -> str:
    wording = wording_of(name)
    return f"{wording.name} {sign} {threshold / wording.scale:.3g} {wording.unit}".rstrip()


def _value(name: str, scenario: Any) -> str:
    """The range of a quantity in a scenario."""
    wording, (low, high) = WORDINGS[name], getattr(scenario, name)
    ends = [f"{end / wording.scale:.3g}" for end in ((low, high) if low < high else (low,))]
    return f"{wording.name} {' to '.join(ends)} {wording.unit}"


def _label(advice: Advice, name: str, gap: str = " ") -> str:
    return BARS[name] + (f"{gap}{advice.best_fixed}" if name == "best_fixed" else "")


def _width(advice: Advice) -> int:
    return max(len(_label(advice, name)) for name in SHOWN)


def _axes(advice: Advice) -> list[str]:
    """The two quantities of the map: those that the rule asks for first, and otherwise SNR and the edge's share."""
    asked, level = [], [advice.rule]
    while level:
        cuts = [tree for tree in level if isinstance(tree, Cut)]
        asked += [advice.quantities[cut.quantity] for cut in cuts]
        level = [side for cut in cuts for side in (cut.below, cut.above)]
    return list(dict.fromkeys([*asked, "snr_db", "edge_availability"]))[:2]


def _draw_map(figure: Figure, panel: Axes, advice: Advice) -> None:
    values, actions = advice.states
    names = _axes(advice)
    columns = [values[:, advice.quantities.index(name)] / wording_of(name).scale for name in names]
    x, y = (_edges(column, name in LOGARITHMIC) for column, name in zip(columns, names, strict=True))
    chosen = np.array([plan.name for plan in advice.plans])[actions]
    table = np.stack(
        [binned_statistic_2d(*columns[::-1], chosen == name, "sum", (y, x)).statistic for name in advice.rule_plans]
    )
    total, most = table.sum(axis=0), table.argmax(axis=0)
    share = np.divide(table.max(axis=0), total, out=np.zeros(total.shape), where=total > 0)
    colours = np.array([to_rgb(colour_of(index)) for index in range(len(table))])
    strength = np.where(total > 0, 0.25 + 0.75 * share, 0.0)[..., None]  # the paler, the more others are beside it
    panel.pcolormesh(x, y, strength * colours[most] + (1 - strength))
    for name, scale in zip(names, (panel.set_xscale, panel.set_yscale), strict=True):
        scale("log" if name in LOGARITHMIC else "linear")
    panel.set(xlabel=wording_of(names[0]).label, ylabel=wording_of(names[1]).label, title="What the rule runs where")
    panel.grid(visible=False)
    seen = np.unique(most[total > 0])
    handles = [Patch(color=colours[index], label=advice.rule_plans[index]) for index in seen]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)


def _edges(values: NDArray[np.float64], logarithmic: bool) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = (low / 1.1, high * 1.1) if logarithmic else (low - 0.5, high + 0.5)
    return np.geomspace(low, high, CELLS + 1) if logarithmic else np.linspace(low, high, CELLS + 1)
