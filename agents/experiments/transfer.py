"""Pre-trained, then fitted to the place: requests until ROOT is good elsewhere, with and without what it learnt before.

The paper trains ROOT remotely and fits it to the local radio environment. Here it is trained in the scenario `paper`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from agents.evaluation.statistics import Interval, ratio_of_margins, student_interval
from agents.experiments.shared.claims import Claim, order_claim, report
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.learning import Curves, learning_curves, lesson_of
from agents.experiments.shared.states import sample_states
from agents.experiments.shared.study import CurveOptions, Study
from agents.policies import load_policy
from agents.reports.drawing import draw_range, subplots
from agents.reports.style import GREY, OKABE_ITO, house_style, line_style
from agents.runs.learn import new_agent
from agents.runs.settings import AgentSettings
from agents.runs.setup import scenario_configs
from envs import SplitSettings, SplitVectorEnv
from envs.checks import Points
from envs.command_line import plain

SCRATCH, FITTED = "scratch", "fitted"
STYLES = {SCRATCH: (OKABE_ITO[1], "from random networks"), FITTED: (OKABE_ITO[0], "from ROOT of the scenario paper")}


@dataclass(frozen=True)
class Options(CurveOptions):
    """Sizes.

    Attributes:
        scenarios: names of `configs/scenario`.
        init_from: the policy to start from, as of `agent.init_from`.
        shares: of the exact optimum (`oracle_bound`), for the requests until they are reached.
        fitted: hyperparameters that differ where an agent starts from the policy.
    """

    scenarios: list[str]
    init_from: str
    shares: Points
    fitted: Mapping[str, Any]


class Fitting(NamedTuple):
    """One scenario.

    Attributes:
        starts: shares of the exact optimum over requests, by the names in `STYLES`.
        two_split: the best two-split rule there, which knows the training requests, as a share of the optimum.
    """

    starts: dict[str, Curves]
    two_split: Interval


def run(study: Study, options: Options) -> Findings:
    """Train several agents of both starts in every scenario; finished ones are kept in the folder."""
    agents, settings = _agents(options), _settings(study, options)
    for place in settings.values():  # each is tried before any work
        for agent in agents.values():
            new_agent(lesson_of(options, place, agent))
    places: dict[str, Fitting] = {}
    with tqdm(total=len(settings) * len(STYLES) * options.seeds, desc="agents", unit="agent", leave=False) as progress:
        for scenario, place in settings.items():
            starts = {}
            states = sample_states(place, options.num_states, study.seed)
            optimum = float(states.expected("oracle_bound").mean())
            for start, agent in agents.items():
                learnt = learning_curves(options, place, agent, states, study.folder, progress.update)
                in_requests = replace(learnt, learnt_from=learnt.learnt_from * place.episode_length)
                starts[start] = in_requests.shares_of(optimum)
            rule = load_policy("two_split", SplitVectorEnv(1, place)).predict(states.observations)[0]
            earned = states.margins({"rule": rule, "bound": states.actions("oracle_bound")})
            places[scenario] = Fitting(starts, ratio_of_margins(earned["rule"], earned["bound"]))
    return Findings(
        "Pre-trained, then fitted to the place",
        {"": _draw(places, options.shares)},
        {
            "": named_rows("scenario", places, _points),
            "summary": named_rows("scenario", places, lambda place: _summary(place, options.shares)),
        },
        [claim for name, place in places.items() for claim in _claims(study.receiver, name, place, options.shares)],
        study.notes,
    )


def _agents(options: Options) -> dict[str, AgentSettings]:
    """What learns, by its start.

    Raises:
        ValueError: shares of nothing or of more than all.
    """
    if not (options.shares[0] > 0 and options.shares[-1] <= 1):
        raise ValueError(f"experiment.shares must lie in (0, 1], got {options.shares!r}")
    fitted = dict(options.agent) | dict(options.fitted) | {"init_from": options.init_from}
    return {SCRATCH: AgentSettings.from_config(options.agent), FITTED: AgentSettings.from_config(fitted)}


def _settings(study: Study, options: Options) -> dict[str, SplitSettings]:
    configs = scenario_configs(options.scenarios)
    return {name: replace(study.settings, scenario=plain(scenario)) for name, scenario in configs.items()}


def _claims(receiver: str, scenario: str, place: Fitting, shares: Points) -> list[Claim]:
    scratch, fitted = place.starts[SCRATCH], place.starts[FITTED]
    at = f"receiver {receiver}, {scenario}: "
    until = {share: (fitted.until(share), scratch.until(share)) for share in shares}
    saved = {share: _saved(fitted, scratch, share) for share in shares}
    later = [share for share, each in saved.items() if not each.low > 0]
    levels = ", ".join(f"{share:.3g} after {_number(a)} (without: {_number(b)})" for share, (a, b) in until.items())
    zero_shot, end = fitted.values[:, 0].mean(), fitted.final
    gain, left = student_interval(100 * (end - zero_shot)), student_interval(100 * (1 - scratch.final))
    fewer = ", ".join(f"{share:.3g} {each.text(',.0f')}" for share, each in saved.items())
    return [
        order_claim(
            "project",
            "what ROOT learnt in `paper` saves requests at every level",
            f"{at}share of the optimum {levels} requests, median of {len(fitted.served)} agents; saved, at least: "
            f"{fewer}",
            saved.values(),
            "not clearly fewer until " + ", ".join(f"{share:.3g}" for share in later),
        ),
        order_claim(
            "project",
            "fitting to the place improves on ROOT of `paper` as it is shipped",
            f"{at}{gain.text('+.2f')} points of the optimum, over agents",
            [gain],
            f"it has only {100 * (1 - zero_shot):.2f} points left to gain there, agents from random networks are "
            f"{left.text('.2f')} below the optimum after as many requests",
        ),
        report(
            "how good ROOT of `paper` is without a request there, and after the last one",
            f"{at}{zero_shot:.2%} of the optimum, then {_range(end)}; from random networks "
            f"{_range(scratch.final)}; the best two-split rule there has {place.two_split.text('.1%')}",
        ),
        report(
            "what users get while it learns, exploration included",
            f"{at}{fitted.served.mean():.0%} of the optimum; from random networks {scratch.served.mean():.0%}",
        ),
    ]


def _saved(fitted: Curves, scratch: Curves, share: float) -> Interval:
    """Requests that agents of one seed need fewer until a share; of those that never reach it, at least."""
    sooner, later = (np.minimum(each.until_each(share), each.learnt_from[-1]) for each in (fitted, scratch))
    return student_interval(later - sooner)


def _number(requests: float) -> str:
    return f"{requests:,.0f}" if np.isfinite(requests) else "more than were served"


def _range(shares: NDArray[np.float64]) -> str:
    return f"{student_interval(shares).text('.2%')} over agents"


@house_style()
def _draw(places: Mapping[str, Fitting], shares: Points) -> Figure:
    figure, grid = subplots(0.8 + 2.9 * len(places), 3.3, 1, len(places), squeeze=False, sharex=True, sharey=True)
    panels = grid[0]
    for panel, (scenario, place) in zip(panels, places.items(), strict=True):
        for name, curves in place.starts.items():
            colour, label = STYLES[name]
            lost = np.maximum(1 - curves.values, 1e-4)  # of what cannot be seen on a logarithmic axis
            draw_range(panel, curves.learnt_from, lost, color=colour, label=label)
        rule = line_style("two_split") | {"marker": ""}
        panel.axhline(1 - place.two_split.mean, linewidth=1.2, **rule)
        for share in shares:
            panel.axhline(1 - share, color=GREY, linestyle=":", linewidth=0.8, zorder=0)
        panel.set(title=scenario, xlabel="Requests learnt from")
    panels[0].set(yscale="log", ylabel="Share of the optimum's satisfaction lost")
    for share in shares:
        panels[-1].annotate(
            f"{100 * share:.3g} %", (1.0, 1 - share), (2, 0), ("axes fraction", "data"), "offset points", fontsize=7
        )
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _points(place: Fitting) -> list[Row]:
    return named_rows("start", place.starts, lambda curves: curves.rows("requests", "relative_to_bound"))


def _summary(place: Fitting, shares: Points) -> list[Row]:
    def row(curves: Curves) -> list[Row]:
        ends = curves.final
        reached = {f"requests_until_{share:.3g}": curves.until(share) for share in shares}
        return [
            reached
            | {
                "relative_to_bound_at_start": float(curves.values[:, 0].mean()),
                "relative_to_bound_at_end": float(ends.mean()),
                "relative_to_bound_at_end_lowest": float(ends.min()),
                "relative_to_bound_at_end_highest": float(ends.max()),
                "served_relative_to_bound": float(curves.served.mean()),
                "two_split_relative_to_bound": place.two_split,
            }
        ]

    return named_rows("start", place.starts, row)
